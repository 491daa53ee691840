# planeguard: GNU make, nothing generated, nothing to configure. `make help` says what there is.
#
# One variant is built at a time, in build/$(V)/, by a make of its own (`make V=asan programs`);
# the targets that people call start those. Objects depend on a file that holds the flags and
# programs on one that holds the list of their objects, so a clean is never needed.

VERSION := 0.1.0
V ?= release
B := build/$(V)

# ---- what there is -----------------------------------------------------------------------------
SOURCES := $(sort $(wildcard agent/*.c agent/*/*.c agent/*/*/*.c agent/*/*/*/*.c))
NET_SOURCES := $(filter agent/net/%,$(SOURCES))
MAIN_SOURCES := $(filter agent/main.c agent/observer.c,$(SOURCES))
LIBRARY_SOURCES := $(filter-out $(NET_SOURCES) $(MAIN_SOURCES),$(SOURCES))
AGENT_SOURCES := $(LIBRARY_SOURCES) $(filter agent/main.c,$(SOURCES))
OBSERVER_SOURCES := $(NET_SOURCES) $(filter agent/observer.c,$(SOURCES)) \
    $(filter agent/base/% agent/loop/% agent/config/% agent/observe/%,$(SOURCES))
TEST_SOURCES := $(sort $(wildcard tests/unit/test_*.c))
TEST_HELPER_SOURCES := $(filter-out $(TEST_SOURCES),$(sort $(wildcard tests/unit/*.c)))
NET_HELPER_SOURCES := $(sort $(wildcard tests/unit/net/*.c))
WRAPPED_SOURCES := $(sort $(wildcard tests/unit/wrapped/*.c))
CRASH_SOURCES := $(sort $(wildcard tests/crash/*.c))

, := ,
object = $(patsubst %.c,$(B)/objects/%.o,$(1))
TESTS := $(patsubst tests/unit/%.c,$(B)/tests/%,$(TEST_SOURCES))
NET_TESTS := $(filter $(B)/tests/test_http% $(B)/tests/test_remote%,$(TESTS))
WRAPPED_TESTS := $(filter $(B)/tests/test_wrapped%,$(TESTS))
PROGRAMS := $(if $(filter agent/main.c,$(SOURCES)),$(B)/planeguard) \
    $(if $(filter agent/observer.c,$(SOURCES)),$(B)/planeguard-observer)

# ---- variants ----------------------------------------------------------------------------------
FORTIFY := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
VARIANT_release := -O2 $(FORTIFY) -DPLANEGUARD_FAULTS=0
VARIANT_test := -O1 -g $(FORTIFY) -DPLANEGUARD_FAULTS=1
VARIANT_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
    -fno-sanitize-recover=all -DPLANEGUARD_FAULTS=1
VARIANT_clang := -O1 -g $(FORTIFY) -DPLANEGUARD_FAULTS=1
# Counters are a shared mapping of a file that the program itself names (%c: continuous, %m: for all
# of its processes): what a child counts that ends by _exit, by a signal or in another's environment
# is in it too. They count at the same time, so each count is atomic: a way that was taken once must
# not be lost. What tests/ itself does isn't counted. Static functions are told apart by their file's
# name: by all of it, since act/ and cmd/ both have a recover.c.
VARIANT_coverage := -O1 -g $(FORTIFY) -DPLANEGUARD_FAULTS=1
COMPILE_coverage = $(if $(filter tests/%,$<),,-fprofile-instr-generate -fcoverage-mapping \
    -fprofile-update=atomic -mllvm -runtime-counter-relocation -Xclang -main-file-name \
    -Xclang $<)
LINK_coverage = -fprofile-instr-generate tests/coverage/counts.c \
    -DCOUNTS='"$(CURDIR)/build/coverage/counts/$(@F)-%m%c.profraw"'
VARIANT_fuzz := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
    -fno-sanitize-recover=all -DPLANEGUARD_FAULTS=1
VARIANT := $(VARIANT_$(V))
ifeq ($(VARIANT),)
$(error V=$(V): expected release, test, asan, clang, coverage, fuzz)
endif
CC := $(if $(filter clang coverage fuzz,$(V)),clang,gcc)
AR := $(if $(filter clang coverage fuzz,$(V)),ar,gcc-ar)

# ---- flags -------------------------------------------------------------------------------------
# pkg-config is asked at the first use, not when this file is read: `make check` on a bare machine
# installs it first.
ask = $(shell pkg-config $(1))
once = $(eval $(1) := $(2))$($(1))
PACKAGES := libsystemd yaml-0.1 jansson libcrypto
PACKAGE_CFLAGS = $(call once,PACKAGE_CFLAGS,$(call ask,--cflags $(PACKAGES)))
PACKAGE_LIBS = $(call once,PACKAGE_LIBS,$(call ask,--libs $(PACKAGES)) -linotifytools)
CURL_LIBS = $(call once,CURL_LIBS,$(call ask,--libs libcurl))
NET_TEST_LIBS = $(call once,NET_TEST_LIBS,$(call ask,--libs libcurl libssl))
TEST_LIBS = $(call once,TEST_LIBS,$(call ask,--libs cmocka))

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
    -Wundef -Werror
HARDENING := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE \
    -Wformat -Werror=format-security
DEFINES := -D_GNU_SOURCE -DPLANEGUARD_VERSION='"$(VERSION)"'
COMPILE = $(CC) -std=gnu17 -Iagent $(DEFINES) $(WARNINGS) $(HARDENING) $(VARIANT) $(COMPILE_$(V)) \
    -ffunction-sections -fdata-sections $(PACKAGE_CFLAGS) $(CPPFLAGS) $(CFLAGS)
LINK = $(CC) $(VARIANT) $(LINK_$(V)) -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed \
    -Wl,--gc-sections $(CFLAGS) $(LDFLAGS)

# ---- targets that people call ------------------------------------------------------------------
.PHONY: all
all: ## the two programs, in build/release
	@$(MAKE) --no-print-directory V=release programs

.PHONY: check
check: ## everything that proves the tree: build, lint, unit tests, scenarios
	@tests/deps
	@tests/check

.PHONY: unit
unit: ## unit tests, plain and under ASan and UBSan
	@tests/deps
	@tests/check build unit

.PHONY: san
san: ## unit tests and scenarios under ASan and UBSan only
	@tests/deps
	@tests/check --variant asan build unit master

.PHONY: coverage
coverage: ## lines and branches of agent/ that the suites reach
	@CI=true tests/deps
	@tests/coverage/run

.PHONY: lint
lint: ## layers, banned calls, lengths, formats, analysers
	@tests/deps
	@tests/check lint

.PHONY: format
format: ## clang-format over all C files
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs -r clang-format -i

.PHONY: deps
deps: ## installs the Debian packages that building and checking need
	@tests/deps

.PHONY: fresh
fresh: ## `make check` and `make demo` in a bare Debian 12 (root)
	@tests/fresh

.PHONY: clean
clean: ## removes build/
	rm -rf build

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | \
	    awk -F '\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'

ifneq ($(wildcard tests/master/run),)
.PHONY: master
master: ## scenarios on a master that is a folder
	@tests/deps
	@tests/check build master
endif

.PHONY: alloc
alloc: ## fails the n-th allocation: a sample of all n, with CI=true most, with PROOF=1 all
	@tests/deps
	@tests/alloc/run

.PHONY: crash
crash: ## kills, hinders and cuts the power at file-system calls (PROOF=1: at every one, in every way)
	@tests/deps
	@tests/crash/run $(if $(PROOF),--full)

.PHONY: mutants
mutants: ## plants bugs, each of which a test must see: today's ones, with PROOF=1 all
	@tests/deps
	@tests/mutants/run

.PHONY: proof
proof: ## everything of `make check`, without budgets: hours
	@CI=true tests/deps
	@CI=true PROOF=1 tests/check

.PHONY: demo
demo: ## breaks a control plane before your eyes and watches it being brought back
	@tests/deps
	@$(MAKE) --no-print-directory V=release programs
	@tests/demo/demo

.PHONY: sim
sim: ## simulates clusters for 30 days, a seed each: 200, with CI=true 2,000, or SEEDS=N
	@tests/deps
	@$(MAKE) --no-print-directory V=test simulator
	@tests/sim/run $(if $(SEEDS),--seeds $(SEEDS))

.PHONY: fuzz
fuzz: ## replays the fuzzers' corpora; with CI or PROOF set also looks for new inputs
	@tests/deps
	@tests/fuzz/run

PREFIX ?= /usr
SHARE = $(DESTDIR)$(PREFIX)/share/planeguard
.PHONY: install
install: all ## the release programs and the shipped documents (DESTDIR, PREFIX=/usr)
	install -D -m 755 build/release/planeguard $(DESTDIR)$(PREFIX)/bin/planeguard
	install -D -m 755 build/release/planeguard-observer \
	    $(DESTDIR)$(PREFIX)/libexec/planeguard/planeguard-observer
	install -d -m 755 $(SHARE)
	find playbooks policy -name '*.yaml' -exec install -D -m 644 {} $(SHARE)/{} \;

# ---- one variant -------------------------------------------------------------------------------
.PHONY: programs tests
programs: $(PROGRAMS)
tests: $(TESTS)

# Written only when it differs, so that its time tells a change.
define keep
@mkdir -p $(@D)
@printf '%s\n' $(1) | cmp -s - $@ || printf '%s\n' $(1) > $@
endef

.PHONY: always
$(B)/flags: always
	$(call keep,'$(subst ','\'',$(COMPILE))')
$(B)/agent.list: always
	$(call keep,$(AGENT_SOURCES) '$(subst ','\'',$(LINK))')
$(B)/observer.list: always
	$(call keep,$(OBSERVER_SOURCES) '$(subst ','\'',$(LINK))')
$(B)/library.list: always
	$(call keep,$(LIBRARY_SOURCES) $(NET_SOURCES) $(TEST_HELPER_SOURCES) $(NET_HELPER_SOURCES))

$(B)/objects/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	@echo "  CC   $(V) $<"
	@$(COMPILE) -MMD -MP -c -o $@ $<

$(B)/planeguard: $(call object,$(AGENT_SOURCES)) $(B)/agent.list
	@echo "  LINK $@"
	@$(LINK) -o $@ $(filter %.o,$^) $(PACKAGE_LIBS)

$(B)/planeguard-observer: $(call object,$(OBSERVER_SOURCES)) $(B)/observer.list
	@echo "  LINK $@"
	@$(LINK) -o $@ $(filter %.o,$^) $(PACKAGE_LIBS) $(CURL_LIBS)

$(B)/libplaneguard.a: $(call object,$(LIBRARY_SOURCES)) $(B)/library.list
	@rm -f $@
	@$(AR) rcs $@ $(filter %.o,$^)
$(B)/libnet.a: $(call object,$(NET_SOURCES)) $(B)/library.list
	@rm -f $@
	@$(AR) rcs $@ $(filter %.o,$^)

$(B)/tests/%: $(B)/objects/tests/unit/%.o $(call object,$(TEST_HELPER_SOURCES)) \
    $(B)/libplaneguard.a
	@mkdir -p $(@D)
	@echo "  LINK $@"
	@$(LINK) -o $@ $(filter %.o,$^) $(filter %/libnet.a,$^) $(filter %/libplaneguard.a,$^) \
	    $(TEST_LIBS) $(PACKAGE_LIBS) $(if $(filter %/libnet.a,$^),$(NET_TEST_LIBS))
# Calls that tests/unit/wrapped/ can make fail.
WRAPPED := stat fstat fstatat openat __openat_2 mkdirat fchmod fchown fsync fdatasync ftruncate \
    fallocate read pread write pwrite lseek renameat2 unlinkat getrandom fgetxattr fsetxattr flock \
    timer_create timer_settime sigaction close fdopendir readdir fcntl syscall \
    EVP_DigestInit_ex2 \
    fork pipe2 dup2 close_range chdir setsid getppid waitpid waitid poll sigprocmask pidfd_open statfs \
    readlink opendir prctl open geteuid getuid getpwnam setgroups setresgid setresuid setuid setrlimit \
    socket socketpair bind listen accept4 getsockopt fchmodat sendmsg recvmsg sd_event_new \
    sd_event_loop sd_event_set_watchdog sd_event_add_io sd_event_add_time sd_event_add_child \
    sd_event_add_signal sd_notify sd_id128_get_boot clock_nanosleep gmtime_r inotifytools_initialize \
    inotifytools_watch_file inotifytools_error
$(WRAPPED_TESTS): LDFLAGS += $(addprefix -Wl$(,)--wrap=,$(WRAPPED))
$(WRAPPED_TESTS): $(call object,$(WRAPPED_SOURCES))
$(NET_TESTS): $(B)/libnet.a $(call object,$(NET_HELPER_SOURCES))

include tests/sim/rules.mk

.PHONY: crash-case
crash-case: $(B)/crash/crash-case
$(B)/crash/crash-case: $(call object,$(CRASH_SOURCES)) $(B)/libplaneguard.a
	@mkdir -p $(@D)
	@echo "  LINK $@"
	@$(LINK) -o $@ $(filter %.o,$^) $(filter %/libplaneguard.a,$^) $(PACKAGE_LIBS)

include tests/fuzz/rules.mk
include tests/alloc/rules.mk

.SECONDARY:
-include $(patsubst %.o,%.d,$(call object,$(SOURCES) $(TEST_SOURCES) $(TEST_HELPER_SOURCES) \
    $(NET_HELPER_SOURCES) $(CRASH_SOURCES)))

