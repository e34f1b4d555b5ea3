# `make` or `make help` lists the targets. Nothing here needs more than a Swift 6.3 toolchain and Python 3.10.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

OCTANT := .build/release/octant
VENV := .venv
PY := $(VENV)/bin/python
FIXTURE := Tests/Fixtures/pypi5k
DATA ?= $(FIXTURE)
PORT ?= 6333
MINUTES ?= 20
MUTATIONS ?= 200000
# SECONDS is a variable of bash itself: only what make was given counts.
SECONDS_EACH := $(if $(filter command line,$(origin SECONDS)),$(SECONDS),30)
PYTEST_ARGS ?=
ROUNDS ?= 3
KILLS ?= 1000
CUTS ?= 500
HISTORIES ?= 200
SEEDS ?= 2000
STRIDE ?= 8
BENCH_ARGS ?=
SUITES ?=
# Engines to compare with are kept apart from what the tests need.
PEERS := .build/bench-venv
LIBRARY_BENCH := .build/release/octant-library-bench
RESULTS := .build/bench
# Figures of the small fixture are for a look; those of a full data set go into the documents.
MEASURED := $(if $(filter $(FIXTURE),$(DATA)),$(RESULTS)/docs,docs)

export OCTANT_BIN ?= $(CURDIR)/$(OCTANT)
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help run build test unit blackbox demo bench corners quantizers peers soak kill-loop power-cut linearizability simulation fail-every-call crash-points fuzz fuzz-decoders bitrot asan tsan lint format protocol prerequisites venv

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-15s %s\n", $$1, $$2}'
	@echo "  Variables: PORT=$(PORT) DATA=folder MINUTES=$(MINUTES) PYTEST_ARGS='-k name'"

run: build ## Build for release and serve ./octant-data on port 6333 (PORT=...)
	@scripts/run.sh "$(OCTANT)" "$(PORT)" octant-data

build: prerequisites ## Release build: .build/release/octant
	@scripts/quietly.sh "release build" swift build -c release --product octant

test: prerequisites venv ## Everything CI runs: lint, release build, unit and black-box tests
	@$(PY) scripts/test.py

unit: prerequisites ## Swift unit tests (debug build)
	swift test

blackbox: build venv ## Black-box tests of the release build with the official Python client
	$(PY) -m pytest Conformance $(PYTEST_ARGS)

demo: build venv ## Load, search and measure real embeddings (DATA=folder for a full data set)
	@$(PY) Conformance/with_server.py $(PY) Conformance/demo.py --url {url} --pid {pid} --storage {storage} --data "$(DATA)"

bench: build venv corners quantizers ## Everything measured beside Qdrant's engine, and REST and gRPC (DATA=folder); writes docs/measurements
	@$(PY) Conformance/with_server.py $(PY) Benchmarks/rest_bench.py --url {url} --pid {pid} --data "$(DATA)"
	@$(PY) Conformance/with_server.py $(PY) Benchmarks/compare_transports.py --url {url} --grpc-port {grpc_port} --pid {pid} --data "$(DATA)"

corners: peers ## Memory, speed and precision beside Qdrant's engine (DATA=folder ROUNDS=3 BENCH_ARGS='--corner defaults')
	@scripts/quietly.sh "release build" swift build -c release --product octant-library-bench
	$(PEERS)/bin/python Benchmarks/corners.py "$(DATA)" $(LIBRARY_BENCH) --rounds $(ROUNDS) --out $(RESULTS)/corners.json $(BENCH_ARGS)
	@$(PEERS)/bin/python Benchmarks/render.py --corners $(RESULTS)/corners.json --docs $(MEASURED)

quantizers: peers ## Every kind of codes beside Qdrant's (DATA=folder ROUNDS=3)
	@scripts/quietly.sh "release build" swift build -c release --product octant-library-bench
	$(PEERS)/bin/python Benchmarks/quantizers.py "$(DATA)" $(LIBRARY_BENCH) --rounds $(ROUNDS) --out $(RESULTS)/quantizers.json
	@$(PEERS)/bin/python Benchmarks/render.py --quantizers $(RESULTS)/quantizers.json --docs $(MEASURED)

soak: build venv ## Mixed load for MINUTES=20; fails on errors or unbounded growth
	@$(PY) Conformance/with_server.py $(PY) Benchmarks/soak.py --url {url} --pid {pid} --storage {storage} \
	  --minutes "$(MINUTES)" --data "$(DATA)"

kill-loop: build venv ## kill -9 at random moments under four clients, KILLS=1000 times
	OCTANT_KILL_ROUNDS=$(KILLS) $(PY) -m pytest -q -s Conformance/test_kill.py

power-cut: build venv ## Power cuts at random moments on ext4 and xfs, CUTS=500 each (as root, with FUSE and loop devices)
	OCTANT_POWER_CUTS=$(CUTS) $(PY) -m pytest -q -s -rs Conformance/test_power_cut.py

linearizability: build venv ## HISTORIES=200 histories of points, half of them with kills, each of one order
	OCTANT_HISTORIES=$(HISTORIES) $(PY) -m pytest -q -s Conformance/test_linearizability.py

# Optimised, for it is many times as fast; with what tests of internals need.
SIMULATE := swift test -c release -Xswiftc -enable-testing --disable-default-traits

simulation: prerequisites ## Simulated lives of a database with crashes and failing calls, SEEDS=2000 of them
	OCTANT_SIM_SEEDS=$(SEEDS) OCTANT_SIM_VERBOSE=1 $(SIMULATE) --filter SimulationTests

fail-every-call: prerequisites ## Every call of every kind fails once, for ever or half-way, in all scenarios
	OCTANT_FAIL_STRIDE=1 OCTANT_SIM_VERBOSE=1 $(SIMULATE) --filter FailEveryCallTests

crash-points: prerequisites ## A power cut or kill before every STRIDE=8th call of all scenarios
	OCTANT_CRASH_STRIDE=$(STRIDE) OCTANT_SIM_VERBOSE=1 $(SIMULATE) --filter CrashPointTests

fuzz: build venv ## schemathesis over the OpenAPI document for MINUTES=20
	@$(PY) -m pip install --quiet --disable-pip-version-check -r Conformance/requirements-fuzz.txt
	@$(PY) Conformance/with_server.py $(PY) Conformance/fuzz.py --url {url} --minutes "$(MINUTES)"

fuzz-decoders: prerequisites ## libFuzzer over every decoder of disk and requests, SECONDS=30 each
	@scripts/fuzz_decoders.sh "$(SECONDS_EACH)"

bitrot: prerequisites ## Damage to every file of a data folder: MUTATIONS=200000 of them (or all)
	OCTANT_BITROT="$(MUTATIONS)" swift test -c release -Xswiftc -enable-testing --filter BitRotTests

asan: prerequisites ## Unit tests of the engine under AddressSanitizer, with leaks and undefined behaviour of C (SUITES=...)
	@scripts/sanitize.sh address $(SUITES)

tsan: prerequisites ## Unit tests of the engine under ThreadSanitizer (SUITES='ConcurrencyTests WALTests')
	@scripts/sanitize.sh thread $(SUITES)

lint: ## Formatting and the house rules
	@scripts/lint.sh

format: ## Format the Swift sources in place
	swift format format --in-place --recursive Sources Tests Package.swift

protocol: prerequisites ## Renew the generated messages of gRPC from Sources/OctantProtocol/Protos
	@scripts/make_protocol.sh

prerequisites:
	@scripts/prerequisites.sh

venv: $(VENV)/.ready

peers: prerequisites $(PEERS)/.ready

$(PEERS)/.ready: Benchmarks/requirements.txt
	@rm -rf $(PEERS)
	@python3 -m venv $(PEERS)
	@scripts/quietly.sh "engines to compare with" $(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(VENV)/.ready: Conformance/requirements.txt
	@scripts/prerequisites.sh
	@rm -rf $(VENV)
	@python3 -m venv $(VENV)
	@scripts/quietly.sh "Python packages" $(PY) -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@
