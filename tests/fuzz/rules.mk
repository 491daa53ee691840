# Fuzz targets, included by the Makefile. `make V=asan fuzz-programs` links them to replay files,
# in build/asan/fuzz; `make V=fuzz fuzz-programs` to libFuzzer, in build/fuzz.
#
# libyaml decides most of what documents can reach, so it is instrumented too where its source is at
# hand: LIBYAML names it unpacked (tests/fuzz/libyaml fetches it). Ours goes before Debian's.

FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_HELPER_SOURCES := $(patsubst %,tests/fuzz/%.c,fuzz certificate journal)
FUZZ_REPLAY_SOURCES := tests/fuzz/replay.c
FUZZ_FOLDER := $(if $(filter fuzz,$(V)),$(B),$(B)/fuzz)
FUZZ_PROGRAMS := $(patsubst tests/fuzz/fuzz_%.c,$(FUZZ_FOLDER)/%,$(FUZZ_SOURCES))
FUZZ_MAIN := $(if $(filter fuzz,$(V)),,$(call object,$(FUZZ_REPLAY_SOURCES)))
LIBYAML := build/libyaml
LIBYAML_SOURCES := $(if $(filter fuzz,$(V)),$(sort $(wildcard $(LIBYAML)/src/*.c)))
LIBYAML_OBJECTS := $(patsubst $(LIBYAML)/src/%.c,$(B)/objects/libyaml/%.o,$(LIBYAML_SOURCES))

.PHONY: fuzz-programs
fuzz-programs: $(FUZZ_PROGRAMS)

# Another's code: not by our warnings.
$(B)/objects/libyaml/%.o: $(LIBYAML)/src/%.c $(B)/flags
	@mkdir -p $(@D)
	@echo "  CC   $(V) $<"
	@$(CC) $(VARIANT) -fPIE -w -I$(LIBYAML)/include -DYAML_VERSION_STRING='"0.2.5"' \
	    -DYAML_VERSION_MAJOR=0 -DYAML_VERSION_MINOR=2 -DYAML_VERSION_PATCH=5 -c -o $@ $<

$(FUZZ_FOLDER)/%: $(B)/objects/tests/fuzz/fuzz_%.o $(call object,$(FUZZ_HELPER_SOURCES)) \
    $(FUZZ_MAIN) $(LIBYAML_OBJECTS) $(B)/libplaneguard.a
	@mkdir -p $(@D)
	@echo "  LINK $@"
	@$(LINK) $(if $(filter fuzz,$(V)),-fsanitize=fuzzer) -o $@ $(filter %.o,$^) \
	    $(filter %.a,$^) $(PACKAGE_LIBS)

-include $(patsubst %.o,%.d,$(call object,$(FUZZ_SOURCES) $(FUZZ_HELPER_SOURCES) \
    $(FUZZ_REPLAY_SOURCES)))
