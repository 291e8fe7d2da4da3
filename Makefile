# libidentity: `make help` lists what there is. Needs GNU make and sh; everything else is installed by `make deps`.

VERSION := 0.1.0
SOVERSION := 0
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
BINDIR ?= $(PREFIX)/bin
DESTDIR ?=
B ?= build

ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)gcc
endif
ifeq ($(origin AR),default)
AR := $(CROSS_COMPILE)ar
endif
PKG_CONFIG ?= $(CROSS_COMPILE)pkg-config
ifneq ($(CROSS_COMPILE),)
ifeq ($(shell command -v $(PKG_CONFIG)),)
PKG_CONFIG := pkg-config
endif
endif

CFLAGS ?= -O2 -g
# The library does not abort an app: its assertions are for DEBUG=1 (make check-asan).
ASSERTS := $(if $(DEBUG),,-DNDEBUG)
# Short lines unless V=1.
ifdef V
say = @:
Q :=
else
say = @printf '  %-6s %s\n' $(1) $(2)
Q := @
endif
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
  -Wmissing-prototypes -Wformat=2 -Wvla -Wwrite-strings -Wpointer-arith -Wundef
ifdef WERROR
WARNINGS += -Werror
endif
BASE_FLAGS := -std=c11 -D_GNU_SOURCE -pthread $(WARNINGS)
comma := ,
pkg = $(shell $(PKG_CONFIG) $(1) $(2) 2>/dev/null)

LIB_SOURCES := $(wildcard src/*/*.c)
CLI_SOURCES := $(wildcard examples/cli/*.c)
LOOP_SOURCES := $(wildcard examples/loops/*.c)
SANDBOX_SOURCES := $(wildcard tests/sandbox/*.c)
SUPPORT_SOURCES := $(wildcard tests/support/*.c)
UNIT_SOURCES := $(wildcard tests/unit/test_*.c)
E2E_SOURCES := $(wildcard tests/e2e/test_*.c)
FAULT_SOURCES := $(wildcard tests/faults/test_*.c)
SLOW_SOURCES := $(wildcard tests/slow/test_*.c)
SOAK_HARNESS_SOURCES := $(patsubst %,tests/soak/%.c,devices evidence faults fleet harness journal judge link page trace)
SOAK_WORKER_SOURCES := $(patsubst %,tests/soak/%.c,page virtual worker)
SOAK_PLANTED_SOURCES := $(SOAK_WORKER_SOURCES) tests/soak/planted.c
SOAK_PROGRAMS := $(patsubst %,$(B)/soak/%,harness worker planted)

object = $(patsubst %.c,$(B)/obj/%.o,$(1))
LIB_OBJECTS := $(call object,$(LIB_SOURCES))
CLI_OBJECTS := $(call object,$(CLI_SOURCES))
LOOP_PROGRAMS := $(patsubst %,$(B)/loops/%,tick poll epoll)
LOOP_PROGRAMS_OF_PACKAGES := $(patsubst %,$(B)/loops/%,libuv glib)
SANDBOX_OBJECTS := $(call object,$(SANDBOX_SOURCES))
SUPPORT_OBJECTS := $(call object,$(SUPPORT_SOURCES))
UNIT_PROGRAMS := $(patsubst tests/%.c,$(B)/tests/%,$(UNIT_SOURCES))
E2E_PROGRAMS := $(patsubst tests/%.c,$(B)/tests/%,$(E2E_SOURCES))
FAULT_PROGRAMS := $(patsubst tests/%.c,$(B)/tests/%,$(FAULT_SOURCES))
SLOW_PROGRAMS := $(patsubst tests/%.c,$(B)/tests/%,$(SLOW_SOURCES))
TEST_PROGRAMS := $(UNIT_PROGRAMS) $(E2E_PROGRAMS) $(FAULT_PROGRAMS) $(SLOW_PROGRAMS)

STATIC := $(B)/libidentity.a
SHARED := $(B)/libidentity.so.$(VERSION)
SHARED_LINKS := $(B)/libidentity.so.$(SOVERSION) $(B)/libidentity.so
PC := $(B)/libidentity.pc
LIB_NEEDS := need-libcurl need-libcjson
STAND_IN_NEEDS := need-libmicrohttpd need-libcjson need-openssl
TEST_NEEDS := $(LIB_NEEDS) need-cmocka need-openssl
LIB_LIBS = $(call pkg,--libs,libcurl libcjson) -pthread
# Our own calls of exported functions go straight to them; what nobody calls is left out.
LINK_FLAGS := -Wl,-z,defs -Wl,-z,relro -Wl,-z,now -Wl,-z,nodelete -Wl,-Bsymbolic-functions -Wl,--gc-sections
ifeq ($(shell uname -s),Darwin)
LINK_FLAGS :=
endif

.DELETE_ON_ERROR:
.PHONY: all lib tools test check deps deps-check demo install uninstall clean help
all: $(STAND_IN_NEEDS) lib tools
lib: $(STATIC) $(SHARED) $(SHARED_LINKS) $(PC) ## the library alone: needs libcurl and libcjson
tools: $(STAND_IN_NEEDS) $(B)/identity-cli $(B)/identity-sandbox ## the command-line client, and the stand-in service

# ---- what has to be there: a package that is missing is named before anything is compiled ----
.PHONY: $(LIB_NEEDS) $(STAND_IN_NEEDS) $(TEST_NEEDS) need-libuv need-glib-2.0
$(sort $(LIB_NEEDS) $(STAND_IN_NEEDS) $(TEST_NEEDS)) need-libuv need-glib-2.0: need-%:
	@command -v $(firstword $(PKG_CONFIG)) >/dev/null || { echo "pkg-config is missing ($(PKG_CONFIG) is not there): make deps"; exit 1; }
	@$(PKG_CONFIG) --exists $* || { echo "$* is missing (pkg-config does not find it): make $(or $(DEPS_OF_$*),deps)"; exit 1; }
DEPS_OF_libuv := deps-check
DEPS_OF_glib-2.0 := deps-check
$(LIB_OBJECTS) $(CLI_OBJECTS): | $(LIB_NEEDS)
$(SANDBOX_OBJECTS): | $(STAND_IN_NEEDS)
$(SUPPORT_OBJECTS) $(call object,$(UNIT_SOURCES) $(E2E_SOURCES) $(FAULT_SOURCES) $(SLOW_SOURCES)): | $(TEST_NEEDS)
$(B)/obj/examples/loops/libuv.o: | need-libuv
$(B)/obj/examples/loops/glib.o: | need-glib-2.0

# ---- compile: one rule, flags by folder; dependencies of headers are written along ----
$(B)/obj/src/%.o: FLAGS = -Iinclude -Isrc -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections $(ASSERTS) $(call pkg,--cflags,libcurl libcjson)
$(B)/obj/examples/%.o: FLAGS = -Iinclude $(call pkg,--cflags,libcjson)
# As system headers: their warnings are not ours.
$(B)/obj/examples/loops/libuv.o: FLAGS = -Iinclude $(patsubst -I%,-isystem%,$(call pkg,--cflags,libuv))
$(B)/obj/examples/loops/glib.o: FLAGS = -Iinclude $(patsubst -I%,-isystem%,$(call pkg,--cflags,glib-2.0))
$(B)/obj/tests/sandbox/%.o: FLAGS = $(call pkg,--cflags,libmicrohttpd libcjson openssl)
$(B)/obj/tests/support/%.o $(B)/obj/tests/unit/%.o $(B)/obj/tests/e2e/%.o $(B)/obj/tests/faults/%.o \
  $(B)/obj/tests/slow/%.o $(B)/obj/tests/soak/%.o $(B)/obj/tests/http2/%.o: FLAGS = -Iinclude -Isrc -Itests \
  $(call pkg,--cflags,cmocka libcurl libcjson openssl)

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(BASE_FLAGS) $(FLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

-include $(wildcard $(patsubst %.o,%.d,$(LIB_OBJECTS) $(CLI_OBJECTS) $(SANDBOX_OBJECTS) $(SUPPORT_OBJECTS) \
  $(call object,$(LOOP_SOURCES) tests/http2/alone.c tests/http2/fetches.c tests/http2/upheaval.c) \
  $(call object,$(UNIT_SOURCES) $(E2E_SOURCES) $(FAULT_SOURCES) $(SLOW_SOURCES) \
  $(sort $(SOAK_HARNESS_SOURCES) $(SOAK_PLANTED_SOURCES)))))

# ---- link ----
$(STATIC): $(LIB_OBJECTS)
	$(call say,AR,$@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(SHARED): $(LIB_OBJECTS) src/identity.map
	$(call say,LINK,$@)
	$(Q)$(CC) -shared $(CFLAGS) $(LDFLAGS) $(LINK_FLAGS) -Wl,-soname,libidentity.so.$(SOVERSION) \
	  -Wl,--version-script,src/identity.map -o $@ $(LIB_OBJECTS) $(LIB_LIBS)

$(SHARED_LINKS): $(SHARED)
	@ln -sf $(notdir $(SHARED)) $@

# Written anew each time: install may come with another PREFIX than the build.
.PHONY: always
$(PC): always
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	  -e 's|@VERSION@|$(VERSION)|' pkgconfig/libidentity.pc.in > $@

# The tools link the archive: they run from the build folder and from anywhere.
$(B)/identity-cli: $(CLI_OBJECTS) $(STATIC)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIB_LIBS)

$(B)/identity-sandbox: $(SANDBOX_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(call pkg,--libs,libmicrohttpd libcjson openssl) -pthread

$(TEST_PROGRAMS): $(B)/tests/%: $(B)/obj/tests/%.o $(SUPPORT_OBJECTS) $(STATIC)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(LINK_$(notdir $@)) -o $@ $^ $(call pkg,--libs,cmocka) $(LIB_LIBS)

# The event loops of examples/loops. Two of them need a package that nothing else does.
.PHONY: loops loops-of-packages
loops: $(LOOP_PROGRAMS) ## the examples of examples/loops: a frame, poll, epoll
loops-of-packages: $(LOOP_PROGRAMS_OF_PACKAGES) ## those for libuv and GLib (make deps-check)
PACKAGE_libuv := libuv
PACKAGE_glib := glib-2.0

$(LOOP_PROGRAMS) $(LOOP_PROGRAMS_OF_PACKAGES): $(B)/loops/%: $(B)/obj/examples/loops/%.o \
  $(B)/obj/examples/loops/journey.o $(STATIC)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(if $(PACKAGE_$*),$(call pkg,--libs,$(PACKAGE_$*))) $(LIB_LIBS)

$(B)/http2/alone $(B)/http2/fetches $(B)/http2/upheaval: $(B)/http2/%: $(B)/obj/tests/http2/%.o $(STATIC)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIB_LIBS)

# The soak: its harness, its worker, and a worker with bugs on purpose.
$(B)/soak/harness: $(call object,$(SOAK_HARNESS_SOURCES)) $(STATIC)
$(B)/soak/worker: $(call object,$(SOAK_WORKER_SOURCES)) $(STATIC)
$(B)/soak/planted: $(call object,$(SOAK_PLANTED_SOURCES)) $(STATIC)
LINK_planted := $(patsubst %,-Wl$(comma)--wrap=identity__%,refresh_verdict lease_left_ms keep_swap)
.PHONY: soak-programs
soak-programs: $(SOAK_PROGRAMS)
$(SOAK_PROGRAMS):
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(LINK_$(notdir $@)) -o $@ $^ $(LIB_LIBS) $(call pkg,--libs,openssl)

# These make allocations of the archive fail.
$(foreach name,$(notdir $(basename $(shell grep -ls support/allocations.h tests/unit/*.c tests/e2e/*.c tests/slow/*.c))),\
  $(eval LINK_$(name) := -Wl,--wrap=malloc -Wl,--wrap=calloc))
# This one counts them.
LINK_test_session_memory := -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=free
# This test refuses libcurl options one by one.
LINK_test_curl_options := -Wl,--wrap=curl_easy_setopt
# The kernel has no room for this one.
LINK_test_async_no_room := $(patsubst %,-Wl$(comma)--wrap=%,epoll_ctl epoll_create1 timerfd_create eventfd poll)
# This one holds calls up on their way into the line.
LINK_test_close_race := -Wl,--wrap=identity__loop_submit

# ---- run ----
.PHONY: test-programs
test-programs: $(TEST_PROGRAMS) loops tools

test: test-programs ## build and run all tests: about a minute, two the first time
	@sh tests/tools/run_tests.sh $(B)

demo: tools ## tell the whole journey against the stand-in service
	@bash examples/demo/journey.sh $(B)

# ---- dependencies ----
deps: ## install what build, demo and test need (apt, apk, dnf, pacman, brew)
	@sh tests/tools/deps.sh base

deps-check: ## install what check needs beyond that
	@sh tests/tools/deps.sh check $(B)

# ---- checks: each can be run alone ----
include tests/tools/checks.mk

# ---- benchmark ----
include tests/bench/bench.mk

# ---- install ----
# Before anything is compiled: pkg-config and the rules below take no other paths.
.PHONY: need-places
need-places:
	@for place in 'PREFIX=$(PREFIX)' 'LIBDIR=$(LIBDIR)' 'INCLUDEDIR=$(INCLUDEDIR)' 'BINDIR=$(BINDIR)'; do \
	  case "$${place#*=}" in [!/]* | *' '*) echo "$$place: must be an absolute path without spaces"; exit 1 ;; esac; done

install: need-places lib $(B)/identity-cli ## PREFIX=/usr/local DESTDIR= LIBDIR= INCLUDEDIR= BINDIR=
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)/identity $(DESTDIR)$(BINDIR)
	install -m 644 $(STATIC) $(DESTDIR)$(LIBDIR)/
	install -m 755 $(SHARED) $(DESTDIR)$(LIBDIR)/
	ln -sf $(notdir $(SHARED)) $(DESTDIR)$(LIBDIR)/libidentity.so.$(SOVERSION)
	ln -sf libidentity.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libidentity.so
	install -m 644 include/identity/*.h $(DESTDIR)$(INCLUDEDIR)/identity/
	install -m 644 $(PC) $(DESTDIR)$(LIBDIR)/pkgconfig/
	install -m 755 $(B)/identity-cli $(DESTDIR)$(BINDIR)/
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" -eq 0 ] && command -v ldconfig >/dev/null; then ldconfig; fi

uninstall: need-places ## takes off what install put there
	rm -f $(DESTDIR)$(LIBDIR)/libidentity.a $(DESTDIR)$(LIBDIR)/libidentity.so \
	  $(DESTDIR)$(LIBDIR)/libidentity.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libidentity.so.$(VERSION) \
	  $(DESTDIR)$(LIBDIR)/pkgconfig/libidentity.pc $(DESTDIR)$(BINDIR)/identity-cli \
	  $(patsubst include/%,$(DESTDIR)$(INCLUDEDIR)/%,$(wildcard include/identity/*.h))
	-rmdir $(DESTDIR)$(INCLUDEDIR)/identity

clean: ## takes off the build folder
	rm -rf $(B)

help: ## this list
	@echo "make                   the library, the command-line client, the stand-in service"
	@grep -hE '^[a-z0-9-]+:.*## ' Makefile tests/tools/checks.mk tests/bench/bench.mk | \
	  sed -E 's/^([a-z0-9-]+):.*## /\1|/' | awk -F'|' '{printf "make %-18s%s\n", $$1, $$2}'
	@echo "Variables: CC AR CFLAGS CPPFLAGS LDFLAGS PKG_CONFIG CROSS_COMPILE PREFIX DESTDIR B (build folder) WERROR=1 V=1 DEBUG=1"
