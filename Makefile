# Python (3.11 or newer), make and git are all that a machine needs; the rest is installed here.
PYTHON ?= python3
VENV := .venv$(if $(filter-out python3,$(PYTHON)),-$(notdir $(PYTHON)))
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup run test test-real check format lock

# The environment, with exactly the packages of requirements.lock.
setup: $(READY)

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Fanline needs Python 3.11 or newer: make PYTHON=python3.x" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@# The client package is used from its source folder, as an editable install would.
	$(BIN)/python -c 'import sysconfig; print("$(CURDIR)/clients/python/src", file=open(sysconfig.get_path("purelib") + "/fanline.pth", "w"))'
	@touch $(READY)

# Everything on this machine: embedded Redis, one gateway on 8000, one worker. Ends with Ctrl-C.
run: setup
	$(BIN)/python -m dev.run

# Everything that CI runs; ends with one count of passed, failed and skipped.
test: setup check
	$(BIN)/python -m dev.system_packages
	$(BIN)/python -m dev.run_tests

# The fundamentals against real services (docs/operations.md): exits 2 and names what is missing.
test-real: setup
	$(BIN)/python -m dev.run_real_tests

# Lint, types, import rules, file lengths.
check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/python -m dev.check_lengths

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Resolve the newest allowed packages anew, with hashes, for every Python that is supported.
lock:
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet uv
	.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --all-extras --no-header --upgrade pyproject.toml -o requirements.lock
	rm -rf .venv-lock
