# What people type. Each target installs what it misses and can be typed on a bare Debian machine with Swift 6.3.

SCRATCH ?= .build-debug
RELEASE ?= .build-release
DEB ?= .build-deb
FUZZ = .build-fuzz
FUZZ_SECONDS ?= 600
VENV ?= .venv
# One file to deploy. lld packs the relocations, which keeps 5 MiB of it out of memory, and puts the functions of a
# flow side by side, as `bench stages --order` found them.
RELEASE_FLAGS = -c release --static-swift-stdlib -Xswiftc -use-ld=lld \
  -Xlinker -z -Xlinker pack-relative-relocs -Xlinker --no-export-dynamic \
  -Xlinker --symbol-ordering-file=$(CURDIR)/Benchmarks/functions.order -Xlinker --no-warn-symbol-ordering
SWIFT_FLAGS = --explicit-target-dependency-import-check error
PYTHON ?= python3

.PHONY: demo test test-unit test-end-to-end test-tsan fuzz lint release deb bench format packages test-packages clean

## Run broker and asset service with a sandbox provider and a demo frontend, on four loopback ports.
demo: packages
	swift build --scratch-path $(SCRATCH) $(SWIFT_FLAGS) --product cloakroom-assets
	swift build --scratch-path $(SCRATCH) $(SWIFT_FLAGS) --product cloakroom
	$(SCRATCH)/debug/cloakroom demo

## Everything that gates a change. Ends with the summary of the last runner.
test: test-packages lint test-unit test-end-to-end

# The transport's tests start child processes and hold hundreds of sockets: they run by themselves.
test-unit:
	swift build --scratch-path $(SCRATCH) $(SWIFT_FLAGS) --build-tests
	swift test --scratch-path $(SCRATCH) $(SWIFT_FLAGS) --skip-build --skip CurlTransportTests
	swift test --scratch-path $(SCRATCH) $(SWIFT_FLAGS) --skip-build --filter CurlTransportTests

# Once more on PostgreSQL: what every store promises.
ON_POSTGRES = $(patsubst %,Tests/EndToEnd/test_%.py,admin_commands authorize callback credentials races redeemed revoke)

# Most of their time is waiting. A file's tests share what it starts.
PYTEST = CLOAKROOM_BINARY=$(CURDIR)/$(SCRATCH)/debug/cloakroom $(VENV)/bin/python -m pytest \
  --numprocesses 2 --dist loadfile --no-loadscope-reorder

test-end-to-end: $(VENV)/ready
	CLOAKROOM_TEST_STORE=postgres $(PYTEST) $(ON_POSTGRES)
	$(PYTEST) Tests/EndToEnd

$(VENV)/ready: Tests/EndToEnd/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r Tests/EndToEnd/requirements.txt
	touch $@

## The concurrent parts again under the thread sanitizer (slow: not part of `test`).
test-tsan: packages
	TSAN_OPTIONS=halt_on_error=1 swift test --scratch-path $(SCRATCH)-tsan --sanitize=thread \
	  --filter 'SQLiteStoreTests|CurlTransportTests|BrokerServerTests|HTTPServiceTests|AssetStoreTests|IngestionTests'

## What providers and browsers send, mutated under the address sanitizer (not part of `test`, which reads the corpus).
## What is new is kept in .build-fuzz/corpus, and what breaks a promise in .build-fuzz.
fuzz: $(FUZZ)/fuzz
	mkdir -p $(FUZZ)/corpus
	$(FUZZ_ENVIRONMENT) $(FUZZ)/fuzz -max_total_time=$(FUZZ_SECONDS) -timeout=5 -max_len=4096 -print_final_stats=1 \
	  -artifact_prefix=$(FUZZ)/ $(FUZZ)/corpus Fuzz/Corpus

FUZZ_ENVIRONMENT = SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0

# Of the package only the broker is built this way: a program without `main` has no place in it. The package's name is
# its folder's, and lets the program use what the package has for itself.
.PHONY: $(FUZZ)/fuzz
$(FUZZ)/fuzz: packages
	rm -f $(foreach part,Broker Catalog Formats JOSE Secrets StrictYAML Transport,$(FUZZ)/release/$(part).build/*.o)  # those of files that are gone would be linked too
	swift build --scratch-path $(FUZZ) -c release --target Broker -Xswiftc -enable-testing \
	  -Xswiftc -sanitize=fuzzer,address -Xcc -fsanitize=address,fuzzer-no-link
	swiftc -O -parse-as-library -swift-version 6 -use-ld=lld -sanitize=fuzzer,address -module-name Fuzz \
	  -package-name $$(basename $(CURDIR) | tr A-Z a-z | tr -c 'a-z0-9\n' _) \
	  -I $(FUZZ)/release/Modules -I $(FUZZ)/checkouts/Yams/Sources/CYaml/include -I Sources/COpenSSL/include -I Sources/CZlib/include \
	  -Xcc -fmodule-map-file=$(FUZZ)/release/COpenSSL.build/module.modulemap \
	  -Xcc -fmodule-map-file=$(FUZZ)/release/CZlib.build/module.modulemap \
	  Fuzz/Fuzz.swift Tests/BrokerTests/HostileInput.swift \
	  $$(find $(foreach part,Broker Catalog Formats JOSE Secrets StrictYAML Transport COpenSSL CZlib Yams CYaml,$(FUZZ)/release/$(part).build/) -name '*.o') \
	  -lcrypto -lz -o $@

lint:
	swift format lint --strict --parallel --recursive Package.swift Sources Templates Tests Benchmarks Fuzz

format:
	swift format --in-place --parallel --recursive Package.swift Sources Templates Tests Benchmarks Fuzz

## The binaries to deploy: .build-release/release/cloakroom, and cloakroom-assets beside it.
release: packages
	swift build --scratch-path $(RELEASE) $(SWIFT_FLAGS) $(RELEASE_FLAGS) --product cloakroom
	swift build --scratch-path $(RELEASE) $(SWIFT_FLAGS) $(RELEASE_FLAGS) --product cloakroom-assets

## Debian packages of them in .build-deb. BINARY=… packages another build alone, VERSION=… calls it otherwise.
deb: $(if $(BINARY),packages,release)
	$(foreach binary,$(or $(BINARY),$(addprefix $(RELEASE)/release/,cloakroom cloakroom-assets)),Deploy/deb/build $(binary) $(DEB) $(VERSION) &&) true

## Measures the release build; prints a table of figures and ratios.
bench: release
	swift build --scratch-path $(RELEASE) $(SWIFT_FLAGS) $(RELEASE_FLAGS) --product bench
	$(RELEASE)/release/bench

## Debian's packages that the build needs, and those that the tests need; asks for root only if one is missing.
packages:
	@.ci/packages

test-packages:
	@.ci/packages test

clean:
	rm -rf .build* .venv*
