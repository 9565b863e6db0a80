# DiffuFuseMed from a terminal. `make` lists the targets; all but `setup` work without a network.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done

# Debian packages that the product needs at this point: none.
APT_PACKAGES :=

CASE ?= Resources/SampleData/STS_010
CASES ?= cases
OUT ?= out/$(notdir $(CASE))
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup run test lint bench train clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## create .venv with the pinned versions (once; PYTHON=python3.12 chooses the Python)

$(STAMP): constraints.txt pyproject.toml scripts/setup.sh
	@echo "setup: installing into $(VENV), a few minutes the first time"
	@PYTHON="$(PYTHON)" scripts/setup.sh $(VENV) $(APT_PACKAGES)
	@touch $@

run: setup ## segment the shipped case and open its report (CASE=folder, OUT=folder, ARGS="more options")
	$(BIN)/diffufusemed run "$(CASE)" --out "$(OUT)" $(ARGS)
	@for report in "$(OUT)"/report.*; do \
	    [ -e "$$report" ] || continue; \
	    echo "report: $$report"; \
	    if [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ] && command -v xdg-open >/dev/null; then xdg-open "$$report"; fi; \
	    break; \
	done

lint: setup ## style, formatting and who may import whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo

test: lint ## lint, then all tests (ARGS="-k worklist" chooses)
	$(BIN)/pytest $(ARGS)

bench: setup ## measure speed and quality on this machine, into out/bench.json and out/bench_live.json
	@mkdir -p out
	$(BIN)/diffufusemed bench --json out/bench.json $(ARGS)
	$(BIN)/diffufusemed bench live --json out/bench_live.json

train: setup ## train the default model (CASES=folder of case folders with a split.json)
	$(BIN)/diffufusemed train "$(CASES)" --recipe sts-diffufusemed $(ARGS)

clean: ## remove results and caches; the environment stays (rm -r .venv to start over)
	rm -rf out build .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find DiffuFuseMed Testing -name __pycache__ -type d -prune -exec rm -rf {} +
