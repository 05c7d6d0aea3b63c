# Every command of the project. `make help` lists them.
# PYTHON picks the interpreter for the virtual environment, VENV its folder:
#   make test PYTHON=python3.12 VENV=.venv-3.12
PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
PACKAGES := instrumentation alerts commandline dashboards demo_service drill stack benchmarks

.DEFAULT_GOAL := help
.PHONY: help setup

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(STAMP) ## create the virtual environment from the hash-checked lock

# uv where it is installed, pip elsewhere: both check every hash of the lock.
$(STAMP): requirements/dev.lock pyproject.toml
	@echo "setup: installing the locked dependencies into $(VENV)"
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
		uv pip sync --quiet --require-hashes --python $(PY) requirements/dev.lock && \
		uv pip install --quiet --no-deps --no-build-isolation --python $(PY) -e . ; \
	else \
		$(PYTHON) -m venv $(VENV) && \
		$(PY) -m pip install --quiet --require-hashes -r requirements/dev.lock && \
		$(PY) -m pip install --quiet --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@

lock: ## renew the locks in requirements from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --group dev --all-extras pyproject.toml -o requirements/dev.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --group demo --extra all pyproject.toml -c requirements/dev.lock \
		-o requirements/demo.lock
	for suite in fastapi starlette; do \
		uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
			--no-emit-index-url --prerelease if-necessary-or-explicit \
			requirements/suites/$$suite.in -o requirements/suites/$$suite.lock; \
	done
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url requirements/sqlalchemy-2.0.in -o requirements/sqlalchemy-2.0.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url requirements/fastapi-0.100.in -o requirements/fastapi-0.100.lock

.PHONY: lock

# Docker Compose where an engine answers, native processes elsewhere.
MODE ?= $(shell (docker info && docker compose version) >/dev/null 2>&1 && echo compose || echo native)

demo: $(STAMP) ## run the stack and the demo under load (MODE=native or MODE=compose chooses how)
	@$(PY) -m stack $(patsubst native,up,$(MODE))

native: $(STAMP) ## build the native backends into the user's cache folder
	@$(PY) -m stack build

SECONDS ?= 30
SERVICE ?= orders
profile: $(STAMP) ## a flame graph of the demo, the running one or one for the time (SECONDS, SERVICE)
	@$(PY) -m stack profile --seconds $(SECONDS) --service $(SERVICE)

.PHONY: demo native profile

lint: $(STAMP) ## ruff, mypy --strict, import-linter, drift of generated files, length of files
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache
	$(PY) -m alerts --check
	$(PY) -m dashboards --check
	@long=$$(git ls-files '*.py' | xargs wc -l | awk '$$2 != "total" && $$1 > 300 { print "  " $$2 ": " $$1 }'); \
		[ -z "$$long" ] || { echo "lint: files of more than 300 lines:"; echo "$$long"; exit 1; }

# Most tests wait for a real program most of the time, so three at once fit two cores.
PYTEST := $(PY) -m pytest -q -n 3 --dist loadfile

test: $(STAMP) ## the tests, real backends included; builds them if they are missing
	$(PY) -m stack build
	$(PYTEST) -m "not slow" tests

test-all: $(STAMP) ## what takes longer: every test, the slow ones too, the whole drill and the backtest
	$(PY) -m stack build
	$(PYTEST) tests
	$(MAKE) drill
	$(MAKE) backtest

conformance: $(STAMP) ## run what proves the promise, and write docs/conformance.md
	$(PY) -m stack build
	$(PYTEST) -m proves tests; $(PY) -m tests.conformance

generate: $(STAMP) ## write the rules and the dashboards anew
	$(PY) -m alerts
	$(PY) -m dashboards
	$(PY) -m instrumentation reference > docs/metrics.md

pictures: $(STAMP) ## break a demo of its own, and take the pictures of docs/pictures (needs Chromium)
	@$(PY) -m tests.dashboards.pictures

wheel: $(STAMP) ## build the library's wheel into dist
	$(PY) -m hatchling build -t wheel

clean: ## remove what set-up and runs left in the checkout, the stack's data included
	rm -rf .venv* dist var .mypy_cache .pytest_cache .ruff_cache

.PHONY: lint test test-all conformance generate pictures wheel clean

PROMTOOL = $$($(PY) -c 'from stack.binaries import binary; print(binary("promtool"))')

backtest: $(STAMP) ## replay incidents and harmless days through the rules, and write docs/backtest.md (ARGS= for less)
	@$(PY) -m alerts.backtest --promtool $(PROMTOOL) --write docs/backtest.md $(ARGS)

rule-cost: $(STAMP) ## measure what the rules cost at 25,000, 100,000 and 400,000 series
	@$(PY) -m stack.rule_cost $(ARGS)

.PHONY: backtest rule-cost

PROMETHEUS ?= http://127.0.0.1:9090
dashboard-cost: $(STAMP) ## what the dashboards ask of a running Prometheus, written into docs/dashboards.md
	@$(PY) -m dashboards cost --prometheus $(PROMETHEUS) --write docs/dashboards.md

.PHONY: dashboard-cost

drill: $(STAMP) ## break the demo on purpose: fault, page, culprit, resolved
	@$(PY) -m drill

.PHONY: drill

bench: $(STAMP) ## what observing costs beside the peers; fails where a promise is missed (ARGS=--quick)
	@$(PY) -m benchmarks $(ARGS)

bench-blocking: $(STAMP) ## find 300 blocks on each event loop, report nothing else, cost nothing (ARGS= for less)
	@$(PY) -m benchmarks.blocking $(ARGS)

.PHONY: bench bench-blocking
