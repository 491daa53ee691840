# The interposer and the program whose allocations it fails: built like a release, by
# `make V=release alloc-programs`.
ALLOC := build/alloc
ALLOC_OBJECTS := $(call object,$(sort $(wildcard tests/alloc/*.c)) tests/unit/recorder.c)
$(call object,$(wildcard tests/alloc/*.c)): CPPFLAGS += -Itests/unit -Itests/alloc

.PHONY: alloc-programs
alloc-programs: programs $(ALLOC)/fail.so $(ALLOC)/driver
$(ALLOC)/fail.so: tests/alloc/fail.c tests/alloc/fail.h $(B)/flags
	@mkdir -p $(@D)
	@echo "  LINK $@"
	@$(COMPILE) -fPIC -shared -o $@ $<
$(ALLOC)/driver: $(filter-out %/fail.o,$(ALLOC_OBJECTS)) $(B)/libplaneguard.a
	@mkdir -p $(@D)
	@echo "  LINK $@"
	@$(LINK) -o $@ $(filter %.o,$^) $(filter %/libplaneguard.a,$^) $(TEST_LIBS) $(PACKAGE_LIBS)
-include $(patsubst %.o,%.d,$(ALLOC_OBJECTS))
