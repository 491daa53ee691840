# The simulator: agent/'s library with other ends. What tests/sim defines comes first, so the library's
# loop.o, timer.o, hand.o, observe.o ... are never taken out of it; the system calls of its file code go
# to the simulated kernel.
SIM_SOURCES := $(filter-out tests/sim/test_%,$(sort $(wildcard tests/sim/*.c tests/sim/*/*.c)))
# stat stays the real one: so the simulated root isn't taken for this machine's, and the node is what its
# description says.
SIM_WRAPS := $(filter-out stat,$(shell cat tests/sim/kernel/wraps.txt))

.PHONY: simulator
simulator: $(B)/sim/sim
$(B)/sim/sim: $(call object,$(SIM_SOURCES)) $(B)/libplaneguard.a
	@mkdir -p $(@D)
	@echo "  LINK $@"
	@$(LINK) -o $@ $(filter %.o,$^) $(filter %/libplaneguard.a,$^) $(PACKAGE_LIBS) \
	    $(SIM_WRAPS:%=-Wl,--wrap=%) -lm

-include $(patsubst %.o,%.d,$(call object,$(SIM_SOURCES)))
