# Builds the fuzz targets below build/fuzz with clang's libFuzzer: the product's own Makefile with another compiler and
# another folder, so that a new source file needs no line here either. Called by tests/fuzz/run, from the root.
override VARIANT  := asan
override B        := build/fuzz
override CC       := clang-14
# the release build, by gcc, has the warnings
override WARN     := -w
override OPT_asan := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fPIE
override LD_asan  := -fsanitize=fuzzer,address,undefined -pie
include Makefile

FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/%,$(wildcard tests/fuzz/*.c))
$(FUZZERS): $(B)/%: $(B)/tests/fuzz/%.o $(call under,handlers)
	@echo "link $@"
	@$(link) -o $@
.PHONY: fuzzers
fuzzers: $(FUZZERS)
# no target of libFuzzer: reads what the Python oracle writes
$(B)/forms: LDFLAGS := -fsanitize=address,undefined -pie
$(B)/forms: $(B)/tests/fuzz/oracle/forms.o $(call under,item)
	@$(link) -o $@
fuzzers: $(B)/forms
