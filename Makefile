# recoverd. The commands of a developer; `make help` lists them.
#
# Everything is found by where it lies: a .c file in a room is part of that room's archive, tests/unit/R/test_x.c is a
# test of room R and may use the rooms up to R. Nothing here names a source file but the two mains, the two files that
# carry others inside, and the test whose allocations fail, so a new file needs no line.

# -- what is built ------------------------------------------------------------------------------------------------
VERSION := 0.1.0
ROOMS   := base net item store aws http auth audit engine jobs handlers server
# a room and everything below it, highest first (link order); the order of DESIGN.md section 2
UNDER_base     := base
UNDER_net      := net base
UNDER_item     := item base
UNDER_store    := store item net base
UNDER_aws      := aws store item net base
UNDER_http     := http store item net base
UNDER_auth     := auth http aws store item net base
UNDER_audit    := audit http aws store item net base
UNDER_engine   := engine audit auth http aws store item net base
UNDER_jobs     := jobs $(UNDER_engine)
UNDER_handlers := handlers $(UNDER_jobs)
UNDER_server   := server $(UNDER_handlers)
# includes only base, net, item, audit and auth (tools/lint-layout); the rest is what those link to
UNDER_ctl      := ctl audit auth http aws store item net base

VARIANT ?= release
B       := build/$(VARIANT)
CC      := gcc
JOBS    ?= $(shell nproc)
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(JOBS)
endif

PKGS        := libmicrohttpd libcurl openssl jansson sqlite3 libjwt yaml-0.1 libisal expat zlib
CFLAGS_PKGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS        := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lgnutls -lpthread -lm
WARN := -Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wwrite-strings -Werror
# the prefix map and ar's D make the same bytes from two folders (tools/reproducible)
BASE := -std=gnu11 -D_GNU_SOURCE -I. -DRECOVERD_VERSION='"$(VERSION)"' $(CFLAGS_PKGS) $(WARN) -include base/banned.h \
        -g -ffile-prefix-map=$(CURDIR)=. -fno-omit-frame-pointer -pthread -MMD -MP

OPT_release := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
LD_release  := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code -Wl,--as-needed -Wl,--build-id=sha1
# instrumented code misleads the warnings that follow data flow (GCC's manual says so); the release build has them
QUIET       := -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-format-truncation
OPT_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fPIE $(QUIET)
LD_asan     := -fsanitize=address,undefined -pie
OPT_tsan    := -O1 -fsanitize=thread -fPIE $(QUIET)
LD_tsan     := -fsanitize=thread -pie
OPT_cover   := -O0 --coverage -fPIE $(QUIET)
LD_cover    := --coverage -pie
CFLAGS  := $(BASE) $(OPT_$(VARIANT))
LDFLAGS := $(LD_$(VARIANT))
ifeq ($(OPT_$(VARIANT)),)
$(error VARIANT is release, asan, tsan or cover)
endif

.PHONY: all
.DEFAULT_GOAL := all
all: build/recoverd build/recoverctl ## the two programs

build/recoverd: build/release/recoverd
	@cp $< $@.new && mv $@.new $@
build/recoverctl: build/release/recoverctl
	@cp $< $@.new && mv $@.new $@
ifneq ($(VARIANT),release)
build/release/recoverd build/release/recoverctl:
	@+$(MAKE) --no-print-directory VARIANT=release $@
endif

# -- objects and archives -----------------------------------------------------------------------------------------
MAINS   := server/main.c ctl/main.c
sources = $(filter-out $(MAINS),$(wildcard $(1)/*.c $(1)/*/*.c))
objects = $(patsubst %.c,$(B)/%.o,$(call sources,$(1)))
under   = $(foreach room,$(UNDER_$(1)),$(B)/lib$(room).a)
link    = $(CC) $(LDFLAGS) $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

# What a target was made from is kept in a file that changes only with it: other flags, or a source that is gone, rebuild.
remember = $(if $(and $(filter-out x$(strip $(2)),x$(strip $(file <$(1)))),$(1)),$(shell mkdir -p $(dir $(1)))$(file >$(1),$(strip $(2))))
$(call remember,$(B)/flags,$(CC) $(CFLAGS))

define ROOM_RULE
$$(call remember,$(B)/lib$(1).list,$$(call objects,$(1)))
$(B)/lib$(1).a: $$(call objects,$(1)) $(B)/lib$(1).list
	@rm -f $$@; ar rcsD $$@ $$(filter %.o,$$^)
endef
$(foreach room,$(ROOMS) ctl,$(eval $(call ROOM_RULE,$(room))))

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	@echo "cc   $@"
	@$(CC) $(CFLAGS) $(CFLAGS_FOR) -c $< -o $@

# files carried by .incbin, which the compiler's dependency files do not name
$(B)/store/sqlite/migrations.o: $(wildcard migrations/sqlite/*.sql)
$(B)/server/embedded.o: openapi.yaml

$(B)/recoverd: $(B)/server/main.o $(call under,server)
	@echo "link $@"
	@$(link) -o $@
$(B)/recoverctl: $(B)/ctl/main.o $(call under,ctl)
	@echo "link $@"
	@$(link) -o $@

# -- unit tests: one process a file -------------------------------------------------------------------------------
$(B)/tests/%.o: CFLAGS_FOR := -Wno-missing-prototypes
$(B)/tests/support.a: $(patsubst %.c,$(B)/%.o,$(wildcard tests/support/*.c))
	@rm -f $@; mkdir -p $(@D); ar rcsD $@ $^
define TEST_RULE
$(B)/tests/unit/$(1)/test_%: $(B)/tests/unit/$(1)/test_%.o $(B)/tests/support.a $(call under,$(1))
	@$$(link) -Wl,-u,_fail -lcmocka -o $$@
endef
$(foreach room,$(ROOMS) ctl,$(eval $(call TEST_RULE,$(room))))
# those whose allocations are made to fail (tests/support/alloc_fail.h)
$(foreach room,net engine jobs,$(B)/tests/unit/$(room)/test_no_memory): LDFLAGS += $(foreach name,malloc calloc realloc reallocarray strdup,-Wl,--wrap=$(name))
tests_of = $(patsubst %.c,$(B)/%,$(foreach room,$(1),$(wildcard tests/unit/$(room)/test_*.c)))
$(call tests_of,ctl): | $(B)/recoverctl
BENCHES := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))
$(BENCHES): $(B)/bench/%: $(B)/tests/bench/%.o $(B)/tests/support.a $(call under,server)
	@mkdir -p $(@D); $(link) -o $@
# the preloaded libraries that kill at a sync, or make a call of the disk fail
SHIMS := $(patsubst tests/crash/%.c,$(B)/preload/%.so,$(wildcard tests/crash/*.c))
$(B)/preload/%.so: tests/crash/%.c tests/crash/armed.h
	@mkdir -p $(@D); $(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) -O1 -g -fPIC -I. -shared $< -o $@ -ldl

ROOM ?= $(ROOMS) ctl
TESTS := $(call tests_of,$(ROOM))
TSAN_ROOMS := base net store engine http auth
.PHONY: tests test asan tsan cover
tests: $(TESTS)
test: $(TESTS) ## unit tests; ROOM=item for one room's, VARIANT=asan under another build
	@VARIANT=$(VARIANT) tools/run-unit $(TESTS)
asan: ## unit tests under AddressSanitizer and UBSan
	@+$(MAKE) --no-print-directory VARIANT=asan test
tsan: ## unit tests of the rooms with threads, under ThreadSanitizer
	@+$(MAKE) --no-print-directory VARIANT=tsan ROOM="$(TSAN_ROOMS)" test
cover: ## unit tests with coverage: a table by room, build/cover/html
	@+tools/cover "$(MAKE)"

# -- everything else is a script ----------------------------------------------------------------------------------
PREFIX ?= /usr/local
.PHONY: deps demo check e2e tsan-load lint fmt bench fuzz torture install clean help
deps: ## installs every package that build, tests, lint, demo and bench need
	@tools/deps build test lint demo bench
# not as a make below this one: what KEEP=1 leaves up would hold the pipe for which this make waits
demo: ## the main job on an emulated AWS, told as a story; KEEP=1 leaves it up
	@env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL KEEP="$(KEEP)" tools/demo
check: ## installs what is missing, then everything that a change must pass
	@+tools/check "$(MAKE)"
e2e: all $(B)/recoverd $(B)/recoverctl $(SHIMS) ## the programs against the emulated AWS
	@VARIANT=$(VARIANT) tools/e2e
tsan-load: ## jobs, cancels, reloads, a drain and all else at once under ThreadSanitizer; LOAD_S=20 seconds for each half
	@+$(MAKE) --no-print-directory VARIANT=tsan build/tsan/recoverd
	@LOAD_S=$${LOAD_S:-20} tools/e2e-under tsan -n0 tests/e2e/test_load.py
lint: ## format, layout, static analysis, scripts
	@tools/lint
fmt: ## formats the C sources in place
	@tools/lint-format --write; tools/lint-layout --write
bench: all $(BENCHES) ## what it costs, beside others
	@tools/bench
fuzz: ## libFuzzer on all that comes from outside; T=60 seconds a target, JOBS=2 at a time
	@tests/fuzz/run $(T)
torture: all $(B)/recoverd $(B)/recoverctl $(SHIMS) ## the long forms: kills at CRASH_POINTS=200, days of bad network, floods, valgrind, mutants; PARTS="asan valgrind" for some
	@+MAKE="$(MAKE)" tools/torture $(PARTS)
install: all ## PREFIX=/usr/local DESTDIR=
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" tools/install
clean: ## removes build/ but not the Python packages in it
	@find build -mindepth 1 -maxdepth 1 ! -name '*-venv*' -exec rm -rf {} + 2>/dev/null || true
help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile | sort | expand -t 12

# for tools/lint-analyze: the flags, quoted as a shell reads them
.PHONY: print-flags
print-flags:
	@: $(info $(BASE))

.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
