# Everything is found by where it lies: a .c file in a room is part of that room's archive, tests/unit/R/test_x.c is a
# test of room R and may use the rooms up to R. Nothing here names a source file, so a new one needs no line.
ROOMS   := base net item store aws http auth audit engine jobs handlers server
# a room and everything below it, highest first (link order); equal to the order of DESIGN.md section 2
UNDER_base := base
UNDER_net := net base
UNDER_item := item base
UNDER_store := store item net base
UNDER_aws := aws store item net base
UNDER_http := http store item net base
UNDER_auth := auth http aws store item net base
UNDER_audit := audit http aws store item net base
UNDER_engine := engine audit auth http aws store item net base
UNDER_jobs := jobs $(UNDER_engine)
UNDER_handlers := handlers $(UNDER_jobs)
UNDER_server := server $(UNDER_handlers)
UNDER_ctl := ctl audit item net base store aws

VARIANT ?= release
B       := build/$(VARIANT)
CC      ?= gcc
PKGS    := libmicrohttpd libcurl openssl jansson sqlite3 libjwt yaml-0.1 libisal expat zlib
CFLAGS_PKGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS    := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lgnutls -lpthread -lm
WARN    := -Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wwrite-strings -Werror
VERSION := 0.1.0
BASE    := -std=gnu11 -D_GNU_SOURCE -I. -DRECOVERD_VERSION='"$(VERSION)"' $(CFLAGS_PKGS) $(WARN) -include base/banned.h \
           -g -ffile-prefix-map=$(CURDIR)=. -fno-omit-frame-pointer -pthread -MMD -MP
OPT_release := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
LD_release  := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code -Wl,--as-needed -Wl,--build-id=sha1
OPT_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fPIE
LD_asan     := -fsanitize=address,undefined -pie
OPT_tsan    := -O1 -fsanitize=thread -fPIE
LD_tsan     := -fsanitize=thread -pie
OPT_cover   := -O0 --coverage -fPIE
LD_cover    := --coverage -pie
CFLAGS  := $(BASE) $(OPT_$(VARIANT))
LDFLAGS := $(LD_$(VARIANT))

.PHONY: all
all: build/recoverd build/recoverctl

build/recoverd: $(B)/recoverd ; @cp $< $@
build/recoverctl: $(B)/recoverctl ; @cp $< $@

sources = $(filter-out server/main.c,$(wildcard $(1)/*.c $(1)/*/*.c))
objects = $(patsubst %.c,$(B)/%.o,$(call sources,$(1)))

define ROOM_RULE
$(B)/lib$(1).a: $(call objects,$(1))
	@rm -f $$@; mkdir -p $$(@D); ar rcsD $$@ $$^
endef
$(foreach room,$(ROOMS) ctl,$(eval $(call ROOM_RULE,$(room))))

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c $< -o $@

under = $(foreach room,$(UNDER_$(1)),$(B)/lib$(room).a)

$(B)/recoverd: $(B)/server/main.o $(call under,server)
	$(CC) $(LDFLAGS) $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS) -o $@
$(B)/recoverctl: $(call under,ctl)
	$(CC) $(LDFLAGS) -Wl,--whole-archive $(B)/libctl.a -Wl,--no-whole-archive -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS) -o $@

# -- unit tests: one process a file -------------------------------------------------------------------------------
TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*/test_*.c))
define TEST_RULE
$(B)/tests/unit/$(1)/test_%: tests/unit/$(1)/test_%.c $(call under,$(1)) $(B)/tests/support.a
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) -Wno-missing-prototypes $$< $$(LDFLAGS) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(LIBS) -lcmocka -o $$@
endef
$(foreach room,$(ROOMS) ctl,$(eval $(call TEST_RULE,$(room))))
$(B)/tests/support.a: $(patsubst %.c,$(B)/%.o,$(wildcard tests/support/*.c))
	@mkdir -p $(@D); rm -f $@; ar rcsD $@ $^

.PHONY: tests test
tests: $(TESTS)
# make test ROOM=item runs one room's tests
test:
	@$(MAKE) --no-print-directory $(patsubst %.c,$(B)/%,$(wildcard tests/unit/$(or $(ROOM),*)/test_*.c))
	@sh tests/run-unit.sh $(patsubst %.c,$(B)/%,$(wildcard tests/unit/$(or $(ROOM),*)/test_*.c))

-include $(shell find $(B) -name '*.d' 2>/dev/null)
