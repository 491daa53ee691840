# The simulator and the tests of its own parts: agent/'s library with other ends. What tests/sim defines
# comes first, so the library's loop.o, timer.o, hand.o, observe.o ... are never taken out of it; the
# system calls of its file code go to the simulated kernel.
SIM_SOURCES := $(filter-out tests/sim/test_%,$(sort $(wildcard tests/sim/*.c tests/sim/*/*.c)))
SIM_KERNEL_SOURCES := $(filter tests/sim/kernel/% tests/sim/random.c,$(SIM_SOURCES))
KERNEL_TEST_SOURCES := $(sort $(wildcard tests/sim/test_kernel*.c)) $(SIM_KERNEL_SOURCES)
WORLD_TEST_SOURCES := $(sort $(wildcard tests/sim/test_world*.c)) $(SIM_KERNEL_SOURCES) \
    $(filter tests/sim/world/% tests/sim/schedule.c,$(SIM_SOURCES))
COMMA := ,
SIM_WRAPS := $(shell cat tests/sim/kernel/wraps.txt)
SIM_LINK = $(LINK) -o $@ $(filter %.o,$^) $(filter %/libplaneguard.a,$^)

$(B)/objects/tests/sim/%.o: CPPFLAGS += -Itests/sim

.PHONY: simulator
simulator: $(B)/sim/sim
# stat stays the real one: so the simulated root isn't taken for this machine's, and the node is what its
# description says.
$(B)/sim/sim: $(call object,$(SIM_SOURCES)) $(B)/libplaneguard.a tests/sim/kernel/wraps.txt
	@mkdir -p $(@D)
	@echo "  LINK $@"
	@$(SIM_LINK) $(PACKAGE_LIBS) $(addprefix -Wl$(COMMA)--wrap=,$(filter-out stat,$(SIM_WRAPS))) -lm

$(B)/sim/test_kernel: $(call object,$(KERNEL_TEST_SOURCES))
$(B)/sim/test_world: $(call object,$(WORLD_TEST_SOURCES))
$(B)/sim/test_kernel $(B)/sim/test_world: $(B)/libplaneguard.a tests/sim/kernel/wraps.txt
	@mkdir -p $(@D)
	@echo "  LINK $@"
	@$(SIM_LINK) $(TEST_LIBS) $(PACKAGE_LIBS) $(SIM_WRAPS:%=-Wl,--wrap=%) -lm

-include $(patsubst %.o,%.d,$(call object,$(SIM_SOURCES) $(KERNEL_TEST_SOURCES) $(WORLD_TEST_SOURCES)))
