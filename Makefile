# DiffuFuseMed from a terminal. `make` lists the targets; all but `setup` work without a network.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done

# Debian packages: what the pictures are rendered with; what the tests drive beside it, a browser and Qt's widgets.
APT_PACKAGES := libegl1 libgl1-mesa-dri
TEST_PACKAGES := chromium libgl1 libglib2.0-0 libxkbcommon0 libfontconfig1 libdbus-1-3

CASE ?= Resources/SampleData/STS_010
CASES ?= cases
OUT ?= out/$(notdir $(CASE))
ARGS ?=
SOAK ?= 60

.DEFAULT_GOAL := help
.PHONY: help setup run report test test-packages lint reference bench train clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## create .venv with the pinned versions (once; PYTHON=python3.12 chooses the Python)

$(STAMP): constraints.txt hashes.txt pyproject.toml scripts/setup.sh
	@echo "setup: installing into $(VENV), a few minutes the first time"
	@PYTHON="$(PYTHON)" scripts/setup.sh $(VENV) $(APT_PACKAGES)
	@touch $@

run: setup ## open the workspace on the shipped case (CASE=folder, ARGS="--port 8080 --no-browser")
	$(BIN)/diffufusemed web "$(CASE)" $(ARGS)

report: setup ## segment and fuse a case without the workspace, and name its report (CASE=folder, OUT=folder)
	$(BIN)/diffufusemed run "$(CASE)" --out "$(OUT)" $(ARGS)

test-packages: setup
	@scripts/test-packages.sh $(TEST_PACKAGES)

lint: setup ## style, formatting, who may import whom, and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

test: setup test-packages ## lint and all tests, three parts at a time (ARGS="-k worklist" chooses)
	@LINT="make -s lint" scripts/test.sh $(BIN)/pytest $(ARGS)

bench: setup test-packages ## measure models, fusion and workspace on this machine, into out/bench*.json (SOAK=minutes of reading)
	@mkdir -p out
	$(BIN)/python -m benchmarks --json out/bench.json $(ARGS)
	$(BIN)/python -m benchmarks live --json out/bench_live.json
	$(BIN)/python -m benchmarks web --json out/bench_web.json --soak-minutes "$(SOAK)" --large

reference: setup ## write docs/reference from the docstrings
	$(BIN)/python scripts/reference.py

train: setup ## train the default model (CASES=folder of case folders with a split.json)
	$(BIN)/diffufusemed train "$(CASES)" --recipe sts-diffufusemed $(ARGS)

clean: ## remove results and caches; the environment stays (rm -r .venv to start over)
	rm -rf out build .pytest_cache .ruff_cache .hypothesis .import_linter_cache .mypy_cache
	find DiffuFuseMed Testing -name __pycache__ -type d -prune -exec rm -rf {} +
