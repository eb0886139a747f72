# Targets: `make help`. Everything is installed into .venv from hash-pinned locks.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN_STAMP  := $(VENV)/.run-lock-installed
TEST_STAMP := $(VENV)/.test-lock-installed
ASSETS_STAMP := templates/static/vendor/.installed

.DEFAULT_GOAL := help
.PHONY: faults help setup demo serve test lint format lock clean screenshots

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): requirements/run.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/run.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(TEST_STAMP): requirements/test.lock $(RUN_STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/test.lock
	@touch $@

$(ASSETS_STAMP): package.json package-lock.json tools/fetch_assets.py $(RUN_STAMP)
	@$(BIN)/python tools/fetch_assets.py && touch $@ \
	  || echo "continuing without the staff pages' style; run make setup again when npm can be reached"

setup: $(RUN_STAMP) $(ASSETS_STAMP)  ## install the program and its browser parts into .venv
	@echo "ready: $(BIN)/ecert --help"

demo: setup  ## a whole example from nothing, then serve it (ARGS="--no-serve --people 200 --data-dir D")
	$(BIN)/ecert demo $(ARGS)

serve: setup  ## serve an existing data folder (ARGS="--data-dir D --port P")
	$(BIN)/ecert serve all $(ARGS)

test: setup $(TEST_STAMP)  ## install what the tests need and run them all
	$(BIN)/python tools/test_prerequisites.py
	$(BIN)/python -m pytest -n 2 --dist loadfile tests $(ARGS)

bench-issue: $(TEST_STAMP)  ## speed of issue beside the strongest stock chain (ARGS="--plot docs/images/issue-speed.svg")
	$(BIN)/python -m tests.benchmarks.issue $(ARGS)

faults: setup $(TEST_STAMP)  ## kill, freeze and starve workers of a 1,000-person batch, then count (ARGS="--people N --kills N")
	$(BIN)/python -m tests.faults.run $(ARGS)

lint: $(TEST_STAMP)  ## ruff, mypy strict, import contracts, unused and undeclared dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

bench-verify: setup $(TEST_STAMP)  ## the public checks' rate beside nginx's, 2,000,000 records (ARGS="--records N --seconds S")
	$(BIN)/python -m tests.benchmarks.verify $(ARGS)

propagation: setup $(TEST_STAMP)  ## how soon an invalidation is on every path (ARGS="--revocations N")
	$(BIN)/python -m tests.benchmarks.propagation $(ARGS)

format: $(TEST_STAMP)  ## put the code in its standard form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(TEST_STAMP)  ## resolve the locks again (needs uv on the PATH)
	sh tools/lock.sh

clean:  ## remove what the other targets made
	rm -rf $(VENV) node_modules templates/static/vendor .mypy_cache .ruff_cache .pytest_cache

screenshots: setup $(TEST_STAMP)  ## take the pictures in docs/images from a fresh demo
	sh tools/take_screenshots.sh
