# The simulator: objects of their own (not fortified: --wrap must see the plain names), the agent's file
# code running on the kernel in tests/sim/kernel.
comma := ,
S := $(B)/sim
SIM_KERNEL_SOURCES := tests/sim/random.c $(sort $(wildcard tests/sim/kernel/*.c))
SIM_FILE_CODE := $(patsubst %,agent/loop/%.c,\
    file replace folder append lock path stream descriptor clock)
SIM_WRAPS := $(patsubst %,-Wl$(comma)--wrap=%,$(shell cat tests/sim/kernel/wraps.txt))
SIM_COMPILE = $(COMPILE) -Itests/sim -U_FORTIFY_SOURCE
sim_object = $(patsubst %.c,$(S)/objects/%.o,$(1))

$(S)/objects/%.o: %.c $(B)/flags tests/sim/sim.mk
	@mkdir -p $(@D)
	@echo "  CC   $(V) $< (sim)"
	@$(SIM_COMPILE) -MMD -MP -c -o $@ $<

SIM_TEST_KERNEL := $(call sim_object,$(sort $(wildcard tests/sim/test_kernel*.c)) \
    $(SIM_KERNEL_SOURCES) $(SIM_FILE_CODE) $(sort $(wildcard agent/base/*.c)))
$(S)/test_kernel: $(SIM_TEST_KERNEL) tests/sim/kernel/wraps.txt
	@echo "  LINK $@"
	@$(LINK) $(SIM_WRAPS) -o $@ $(filter %.o,$^) $(TEST_LIBS) $(PACKAGE_LIBS) -lm

-include $(SIM_TEST_KERNEL:.o=.d)
