# The checks behind `make check`. Each can be run alone; each fails when its tool is missing.

NM ?= $(CROSS_COMPILE)nm
ASAN_BUILD := $(B)/asan
VALGRIND := valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect,possible \
  --errors-for-leak-kinds=definite,indirect,possible --num-callers=30
OUR_SOURCES := $(LIB_SOURCES) $(CLI_SOURCES) $(LOOP_SOURCES) $(SANDBOX_SOURCES)
SHELL_SCRIPTS := $(wildcard tests/*/*.sh examples/*/*.sh)

.PHONY: check-warnings check-asan check-valgrind check-tidy check-cppcheck check-headers check-comments check-includes \
  check-symbols check-texts check-house check-docs check-install check-shell check-prism check-slow check-faults \
  check-fault-list check-soak check-loops check-http2

CHECKS := check-warnings check-headers check-comments check-includes check-symbols check-texts check-house check-docs \
  check-install check-shell check-fault-list check-slow check-faults check-loops check-http2 check-soak check-asan check-valgrind check-tidy check-cppcheck check-prism

check: test $(CHECKS) ## everything: tests, sanitizers, valgrind, static checks, contract
	@echo "check: all of it passed"

check-warnings: ## compile everything with warnings as errors, optimised for size and for debugging
	$(MAKE) B=$(B)/warnings WERROR=1 CFLAGS="-Os -g0" lib tools test-programs soak-programs \
	  loops-of-packages $(patsubst %,$(B)/warnings/http2/%,alone fetches upheaval)
	$(MAKE) B=$(B)/warnings-debug WERROR=1 CFLAGS="-O0 -g0 -D_FORTIFY_SOURCE=0 -Wno-cpp" lib

check-asan: ## the tests under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer
	$(MAKE) B=$(ASAN_BUILD) DEBUG=1 CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	  -fno-omit-frame-pointer" LDFLAGS="-fsanitize=address,undefined" test-programs
	ASAN_OPTIONS=handle_segv=2:detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 \
	  sh tests/tools/run_tests.sh $(ASAN_BUILD)

check-valgrind: test-programs ## the tests under valgrind: no leak, no error
	sh tests/tools/run_tests.sh $(B) --no-scripts --jobs 2 --wrap "$(VALGRIND)"

check-tidy: ## clang-tidy without a finding
	sh tests/tools/check_tidy.sh "-Iinclude -Isrc $(call pkg,--cflags,libcurl)" $(LIB_SOURCES)
	sh tests/tools/check_tidy.sh "-Iinclude $(patsubst -I%,-isystem%,$(call pkg,--cflags,libmicrohttpd openssl libuv glib-2.0))" $(CLI_SOURCES) $(LOOP_SOURCES) \
	  $(SANDBOX_SOURCES)

check-cppcheck: ## cppcheck without a finding
	@cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability --inline-suppr \
	  --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches -Iinclude -Isrc $(LIB_SOURCES)
	@cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability --inline-suppr \
	  --suppress=missingIncludeSystem -Iinclude $(CLI_SOURCES) $(LOOP_SOURCES) $(SANDBOX_SOURCES)
	@echo "cppcheck: $(words $(OUR_SOURCES)) files, no finding"

check-headers: ## each public header alone as C99, C11 and C++11, and within its budget of lines
	sh tests/tools/check_headers.sh "$(CC)" "$(CROSS_COMPILE)g++"

check-comments: ## each function, struct, enum and other type of the public headers has a doc comment above it
	sh tests/tools/check_comments.sh

check-includes: ## the arrows between the rooms of src/ point down
	sh tests/tools/check_includes.sh

check-house: ## what the library must not do, and the sizes of files and functions
	sh tests/tools/check_house.sh

check-symbols: lib ## what the library exports is what identity.map lists and the headers declare
	sh tests/tools/check_symbols.sh "$(NM)" $(SHARED) $(STATIC)

check-texts: ## every text of a table in the library fits its array with its zero byte
	sh tests/tools/check_texts.sh "$(CC)" "-Iinclude -Isrc $(call pkg,--cflags,libcurl libcjson)" $(LIB_SOURCES)

check-docs: lib tools ## each code block of the README compiles, and runs where it is a program
	sh tests/tools/check_docs.sh "$(CC)" $(B)

check-install: all ## an installed copy serves a program, shared and static
	sh tests/tools/check_install.sh "$(CC)" $(B)

check-shell: ## shellcheck on every script
	shellcheck -s bash -S warning $(filter-out tests/tools/%,$(SHELL_SCRIPTS)) .ci/run
	shellcheck -s sh -S warning -e SC2046,SC2086 $(wildcard tests/tools/*.sh)

check-slow: lib tools ## scripts that need more than a moment
	@for script in $(sort $(wildcard tests/slow/*.sh)); do echo "$$script"; bash $$script $(B) || exit 1; done

check-faults: test-programs ## the faults that need more than two seconds each
	sh tests/tools/run_tests.sh $(B) --no-scripts --kinds slow

check-fault-list: ## each fault that is listed has a test with its number
	sh tests/tools/check_faults.sh

check-soak: tools soak-programs ## 24 virtual hours of every trouble: nobody is signed out who should not be (SEED= HOURS=)
	SOAK_SEED="$(SEED)" SOAK_HOURS="$(HOURS)" bash tests/soak/run.sh $(B)

check-loops: tools loops loops-of-packages ## the journey on each event loop of examples/loops
	bash tests/loops/run.sh $(B)

check-http2: tools loops $(patsubst %,$(B)/http2/%,alone fetches upheaval) ## many calls over HTTP/2, through nginx, which is reloaded and killed meanwhile
	bash tests/http2/run.sh $(B)

check-prism: tools ## the stand-in service and the library against the OpenAPI file, judged by Prism
	@test -x $(B)/npm/node_modules/.bin/prism || { echo "prism is missing: make deps-check"; exit 1; }
	bash tests/contract/prism.sh $(B)/npm/node_modules/.bin/prism $(B)/identity-sandbox
	bash tests/contract/prism_library.sh $(B)/npm/node_modules/.bin/prism $(B)

# ---- the explorer of the token machine: tests/explore/README.md ----
EXPLORE_OBJECTS := $(call object,$(wildcard tests/explore/*.c))
$(EXPLORE_OBJECTS): FLAGS = -Iinclude -Isrc -Itests
-include $(wildcard $(EXPLORE_OBJECTS:.o=.d))

# Its worlds share their texts and lists: tests/explore/texts.c.
EXPLORE_SHARED := $(patsubst %,-Wl$(comma)--wrap=identity__%,secret_copy secret_free consents_copy consents_free)
$(B)/explore: $(EXPLORE_OBJECTS) $(STATIC)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(EXPLORE_SHARED) -o $@ $^ $(LIB_LIBS)

.PHONY: check-explore
check: check-explore
check-explore: $(B)/explore ## every interleaving of two handles, store, service, time and faults, to a stated depth
	$(B)/explore --self-test
	$(B)/explore

# ---- the fleet in virtual time: tests/fleet/README.md ----
FLEET_OBJECTS := $(call object,$(wildcard tests/fleet/*.c))
$(FLEET_OBJECTS): FLAGS = -Iinclude -Isrc -Itests
-include $(wildcard $(FLEET_OBJECTS:.o=.d))

# Its boxes share their texts: tests/fleet/texts.c.
$(B)/fleet/simulate: $(FLEET_OBJECTS) $(STATIC)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--wrap=identity__secret_copy -Wl,--wrap=identity__secret_free -o $@ $^ $(LIB_LIBS) -lm

.PHONY: simulate-fleet
simulate-fleet: $(B)/fleet/simulate ## a million boxes through an outage and a power cut (BOXES= SEED= HOURS= OUTAGE= LIMIT=)
	@$(B)/fleet/simulate --folder $(B)/fleet $(if $(BOXES),--boxes $(BOXES)) $(if $(SEED),--seed $(SEED)) \
	  $(if $(HOURS),--hours $(HOURS)) $(if $(OUTAGE),--outage $(OUTAGE)) $(if $(LIMIT),--limit $(LIMIT))

.PHONY: check-fleet
check: check-fleet
check-fleet: $(B)/fleet/simulate ## fifty thousand boxes: twice the steady rate at most after an outage, all back in ten minutes
	@mkdir -p $(B)/fleet/check
	@$(B)/fleet/simulate --boxes 50000 --hours 3 --folder $(B)/fleet/check
