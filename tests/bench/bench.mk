# The benchmark: tests/bench/README.md.

BENCH_OBJECTS := $(call object,$(wildcard tests/bench/*.c))
BENCH_PROGRAMS := $(patsubst %,$(B)/bench/%,hand_written blocking looped)
$(BENCH_OBJECTS): FLAGS = -Iinclude $(call pkg,--cflags,libcurl libcjson)
# The compiler must not take its malloc for the one it knows.
$(B)/obj/tests/bench/allocations.o: FLAGS = -fPIC -fno-builtin -Wno-missing-prototypes
-include $(wildcard $(BENCH_OBJECTS:.o=.d))

$(BENCH_PROGRAMS): $(B)/bench/%: $(B)/obj/tests/bench/%.o $(B)/obj/tests/bench/measure.o $(STATIC)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIB_LIBS)

$(B)/bench/allocations.so: $(B)/obj/tests/bench/allocations.o
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -shared $(CFLAGS) $(LDFLAGS) -o $@ $^

.PHONY: bench bench-programs bench-compare bench-record
bench-programs: $(BENCH_PROGRAMS) $(B)/bench/allocations.so tools

bench: bench-programs ## what this library costs beside libcurl and cJSON by hand, and Node's fetch (ONLY=)
	@node tests/bench/run.mjs $(B) $(ONLY)

bench-compare: ## the last `make bench` against what is recorded: nothing deterministic may be worse
	@test -f $(B)/bench/bench.json || { echo "bench-compare: nothing is measured yet: make bench"; exit 1; }
	@node tests/bench/compare.mjs --self-test tests/bench/recorded.json
	@node tests/bench/compare.mjs $(B)/bench/bench.json tests/bench/recorded.json

bench-record: ## records the last `make bench` in the repository
	cp $(B)/bench/bench.json tests/bench/recorded.json
	cp $(B)/bench/bench.svg tests/bench/recorded.svg
