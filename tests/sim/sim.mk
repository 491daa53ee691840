# The test of the simulated kernel: agent/'s own file code with the system calls in wraps.txt going to
# tests/sim/kernel instead.
KERNEL_TEST_SOURCES := $(sort $(wildcard tests/sim/test_kernel*.c tests/sim/kernel/*.c)) \
    tests/sim/random.c
KERNEL_WRAPS := $(shell cat tests/sim/kernel/wraps.txt)

$(B)/objects/tests/sim/%.o: CPPFLAGS += -Itests/sim

$(B)/sim/test_kernel: $(call object,$(KERNEL_TEST_SOURCES)) $(B)/libplaneguard.a \
    tests/sim/kernel/wraps.txt
	@mkdir -p $(@D)
	@echo "  LINK $@"
	@$(LINK) $(KERNEL_WRAPS:%=-Wl,--wrap=%) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(TEST_LIBS) \
	    $(PACKAGE_LIBS) -lm

-include $(patsubst %.o,%.d,$(call object,$(KERNEL_TEST_SOURCES)))

# The test of the simulated world, on a simulation of its own without agents.
WORLD_TEST_SOURCES := $(sort $(wildcard tests/sim/test_world*.c tests/sim/world/*.c \
    tests/sim/kernel/*.c)) tests/sim/random.c $(wildcard tests/sim/schedule.c)

$(B)/sim/test_world: $(call object,$(WORLD_TEST_SOURCES)) $(B)/libplaneguard.a \
    tests/sim/kernel/wraps.txt
	@mkdir -p $(@D)
	@echo "  LINK $@"
	@$(LINK) $(KERNEL_WRAPS:%=-Wl,--wrap=%) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(TEST_LIBS) \
	    $(PACKAGE_LIBS) -lm

-include $(patsubst %.o,%.d,$(call object,$(WORLD_TEST_SOURCES)))
