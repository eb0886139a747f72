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
	@# Temporary files go to memory where there is plenty of it: hundreds of databases, each waiting for the disk.
	room=$$(df --output=avail /dev/shm 2>/dev/null | awk 'NR == 2 && $$1 > 6000000 { print "/dev/shm" }'); \
	  TMPDIR=$${TMPDIR:-$${room:-/tmp}} $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests $(ARGS)

bench-issue: $(TEST_STAMP)  ## speed of issue beside the strongest stock chain (ARGS="--plot docs/images/issue-speed.svg")
	$(BIN)/python -m tests.benchmarks.issue $(ARGS)

faults: setup $(TEST_STAMP)  ## kill, freeze and starve workers of a 1,000-person batch, then count (ARGS="--people N --kills N")
	$(BIN)/python -m tests.faults.run $(ARGS)

province: setup $(TEST_STAMP)  ## a sitting of 20,000 from roster to published, also under kills (ARGS="--people N --workers N")
	$(BIN)/python -m tests.benchmarks.province $(ARGS)

year: setup $(TEST_STAMP)  ## a sitting's whole year on a clock that plays its days, on PostgreSQL (ARGS="--people N --workers N")
	$(BIN)/python -m tests.benchmarks.year $(ARGS)

console-scale: setup $(TEST_STAMP)  ## every page of the console over an office of 1,000,000 people (ARGS="--people N --sqlite --keep FOLDER")
	$(BIN)/python -m tests.benchmarks.console_scale $(ARGS)

urgent: setup $(TEST_STAMP)  ## one urgent certificate behind 50,000 jobs (ARGS="--jobs N")
	$(BIN)/python -m tests.benchmarks.urgent $(ARGS)

growth: setup $(TEST_STAMP)  ## issue and look-ups at 10 thousand to 1 million certificates (ARGS="--sizes 10000 … 10000000")
	$(BIN)/python -m tests.benchmarks.growth $(ARGS)

lint: $(TEST_STAMP)  ## ruff, mypy strict, import contracts, dependencies, bandit, pip-audit
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/bandit --quiet --recursive -ll issuer verifier keys templates tools
	$(BIN)/python tools/audit_dependencies.py

bench-verify: setup $(TEST_STAMP)  ## the public checks' rate beside nginx's, 2,000,000 records (ARGS="--records N --seconds S")
	$(BIN)/python -m tests.benchmarks.verify $(ARGS)

propagation: setup $(TEST_STAMP)  ## how soon an invalidation is on every path (ARGS="--revocations N")
	$(BIN)/python -m tests.benchmarks.propagation $(ARGS)

fuzz: setup $(TEST_STAMP)  ## 200,000 changed PDFs, QR texts and status lists (ARGS="--cases N")
	$(BIN)/python -m tests.hostile.fuzz $(ARGS)

mutations: setup $(TEST_STAMP)  ## every byte of a file changed in turn; appended, cut, spliced (ARGS="--every N --each N")
	$(BIN)/python -m tests.hostile.mutations $(ARGS)

honest: setup $(TEST_STAMP)  ## 10,000 honest certificates through the whole check (ARGS="--files N")
	$(BIN)/python -m tests.hostile.honest $(ARGS)

outages: setup $(TEST_STAMP)  ## each part the verifier rests on taken away in turn, under load (ARGS="--requests N")
	$(BIN)/python -m tests.hostile.outages $(ARGS)

schemathesis: setup $(TEST_STAMP)  ## generated requests to every operation of both APIs (ARGS="--each N --side issuer")
	$(BIN)/python -m tests.conformance.openapi $(ARGS)

scan-pictures: setup $(TEST_STAMP)  ## how many of 170 hard pictures the scan page reads (ARGS="--small-only --keep FOLDER")
	$(BIN)/python -m tests.benchmarks.scan_pictures $(ARGS)

page-speed: setup $(TEST_STAMP)  ## time to the verdict on a slow phone and a slow network (ARGS="--rounds N")
	$(BIN)/python -m tests.benchmarks.page_speed $(ARGS)

guesses: $(TEST_STAMP)  ## a million guesses at the look-up: how many hit (ARGS="--guesses N")
	$(BIN)/python -m tests.benchmarks.guesses $(ARGS)

regulation: setup $(TEST_STAMP)  ## write docs/regulation.md from the tests named after the clauses
	$(BIN)/python -m tests.regulation.table

state-machine: setup $(TEST_STAMP)  ## 20,000 acts of staff, holders and the clock in any order, the notice held after each
	$(BIN)/python -m tests.issuer.state_machine $(ARGS)

bench-check: setup $(TEST_STAMP)  ## checking a PDF beside stock pyHanko and pdfsig (ARGS="--rounds N")
	$(BIN)/python -m tests.benchmarks.check $(ARGS)

format: $(TEST_STAMP)  ## put the code in its standard form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(TEST_STAMP)  ## resolve the locks again (needs uv on the PATH)
	sh tools/lock.sh

clean:  ## remove what the other targets made
	rm -rf $(VENV) node_modules templates/static/vendor .mypy_cache .ruff_cache .pytest_cache

screenshots: setup $(TEST_STAMP)  ## take the pictures in docs/images from a fresh demo
	sh tools/take_screenshots.sh
