# make run   set up and start Orch on an emulated Slack      make test   set up and run every test
# make check format, lint, types, tests (what CI runs)       make bench  measure (also bench-router, bench-saving)
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: install run test check lint format bench bench-router bench-saving train-router lock clean
.DEFAULT_GOAL := install

# pip comes last into a new environment, so one that was cut short is made again. Where Python has no ensurepip of its
# own (Debian without python3-venv), the pip outside puts one in.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Orch needs Python 3.11 or newer; try: make PYTHON=python3.11")'
	$(PYTHON) -m venv --clear .venv || \
		{ $(PYTHON) -m venv --clear --without-pip .venv && $(PYTHON) -m pip --quiet --python .venv/bin/python install pip; }

.venv/.run-ready: requirements.txt pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev-ready: .venv/.run-ready requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

install: .venv/.run-ready

run: install
	$(BIN)/orch local $(ARGS)

# Compiled once, not by each process that the tests start where Python is told to keep no bytecode.
test: .venv/.dev-ready
	$(BIN)/python -m compileall -q bot
	$(BIN)/python -m pytest -n 3 $(ARGS)

lint: .venv/.dev-ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test

format: .venv/.dev-ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.dev-ready
	$(BIN)/python -m tests.benchmarks $(ARGS)

# The router on repositories that its text model has not seen; and the model made anew (the same bytes each time).
bench-router: .venv/.dev-ready
	$(BIN)/python -m tests.benchmarks.router.evaluate $(ARGS)

train-router: .venv/.dev-ready
	$(BIN)/python -m tests.benchmarks.router.train

# What the example plan costs, step by step from all-sonnet to every lever (R-BUD-5).
bench-saving: .venv/.dev-ready
	$(BIN)/python -m tests.benchmarks.saving $(ARGS)

# Pin again after a change to pyproject.toml (needs uv on the PATH).
UV_COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml
lock:
	echo 'hatchling>=1.27\neditables>=0.5' | $(UV_COMPILE) - -o requirements.txt
	$(UV_COMPILE) --extra dev -c requirements.txt -o requirements-dev.txt

clean:
	rm -rf .venv
