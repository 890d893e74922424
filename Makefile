# Python (3.11 or newer), make and git are all that a machine needs; the rest is installed here. Node
# is the machine's where it is new enough, else the environment's (dev/node.py).
PYTHON ?= python3
VENV := .venv$(if $(filter-out python3,$(PYTHON)),-$(notdir $(PYTHON)))
BIN := $(VENV)/bin
READY := $(VENV)/.ready
NPM := $(BIN)/python -m dev.node npm --prefix frontend
PACKAGES := frontend/node_modules/.ready
LIGHTHOUSE := frontend/lighthouse/node_modules/.ready
PAGE := frontend/dist/index.html

.PHONY: setup frontend run test bench faults abuse model screenshots test-real check generate format lock
.DELETE_ON_ERROR:

# The environment, with exactly the packages of requirements.lock.
setup: $(READY)

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Fanline needs Python 3.11 or newer: make PYTHON=python3.x" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@# The client package is used from its source folder, as an editable install would.
	$(BIN)/python -c 'import sysconfig; print("$(CURDIR)/clients/python/src", file=open(sysconfig.get_path("purelib") + "/fanline.pth", "w"))'
	@touch $(READY)

# The page, built for the gateway to serve.
frontend: $(PAGE)

$(PAGE): $(shell find frontend/src frontend/public -type f ! -path '*/test/*' ! -name '*.test.*') \
		$(addprefix frontend/, index.html package.json tsconfig.json vite.config.ts precompress.ts) \
		$(PACKAGES)
	$(NPM) run --silent build

$(PACKAGES): frontend/package-lock.json | setup
	$(NPM) ci
	@touch $@

$(LIGHTHOUSE): frontend/lighthouse/package-lock.json | setup
	$(NPM)/lighthouse ci
	@touch $@

# Everything on this machine: embedded Redis, one gateway on 8000, one worker. Ends with Ctrl-C.
# An agent of your own: AGENT=path/to/file.py:name AGENT_REQUIREMENTS=path/to/requirements.txt
run: setup frontend
	$(BIN)/python -m dev.run

# Everything that CI runs; ends with one count of passed, failed and skipped.
test: setup check frontend $(LIGHTHOUSE)
	$(BIN)/python -m dev.system_packages
	$(BIN)/python -m dev.run_tests

# The fault table, within ten minutes: SEED=42 REPEAT=3 SHORT=1 ONLY="part of a name" SABOTAGE=gap|fence|dedupe|epoch
# BEHIND=nginx puts all tabs through the front proxy of docker-compose.yml.
faults: setup
	$(BIN)/python -m tests.faults $(if $(SEED),--seed '$(SEED)') $(if $(REPEAT),--repeat '$(REPEAT)') \
		$(if $(SHORT),--short) $(if $(ONLY),--only "$(ONLY)") $(if $(SABOTAGE),--sabotage '$(SABOTAGE)') \
		$(if $(BEHIND),--behind '$(BEHIND)')

# The abuse table, within ten minutes: SEED=42 SHORT=1 ONLY="part of a name" WRITE=1 (into docs/abuse.md)
abuse: setup
	$(BIN)/python -m tests.abuse $(if $(SEED),--seed '$(SEED)') $(if $(SHORT),--short) \
		$(if $(ONLY),--only "$(ONLY)") $(if $(WRITE),--write)

# The benchmark table, beside other gateways that are installed into var/benchmarks: writes docs/benchmarks.md. ROUNDS=3
bench: setup
	$(BIN)/python -m benchmarks $(if $(ROUNDS),--rounds '$(ROUNDS)')

# The rules of the log, the follower, the inbox and the lease, as a model over the real scripts: 2,000 random
# interleavings on each of two servers.
model: setup
	INTERLEAVINGS=$(or $(INTERLEAVINGS),2000) $(BIN)/python -m pytest -q tests/shared/test_model.py

# The pictures of the README, as `make test` has taken them.
screenshots: setup frontend
	$(BIN)/python -m pytest -q tests/browser/test_screenshots.py
	cp var/browser/screenshots/*.png docs/images/

# The fundamentals against real services (docs/operations.md): exits 2 and names what is missing.
test-real: setup
	$(BIN)/python -m dev.run_real_tests

# Lint, types, import rules, file lengths, dead code; what is generated is what its source says.
check: setup $(PACKAGES)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/python -m dev.check_lengths
	$(BIN)/python -m dev.write_schema --check
	$(BIN)/python -m dev.check_types
	$(BIN)/python -m dev.write_golden --check
	$(NPM) run --silent lint
	$(NPM) run --silent typecheck
	$(NPM) run --silent knip

# The JSON Schema of the frames from shared/protocol.py, and from it the page's types.
generate: setup $(PACKAGES)
	$(BIN)/python -m dev.write_schema
	$(NPM) run --silent gen
	$(BIN)/python -m dev.write_golden

format: setup $(PACKAGES)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(NPM) run --silent format

# Resolve the newest allowed packages anew, with hashes, for every Python that is supported.
lock:
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet uv
	.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --all-extras --no-header --upgrade pyproject.toml -o requirements.lock
	@# What the image installs: the same without what only `make` needs.
	.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --constraints requirements.lock pyproject.toml -o requirements-runtime.lock
	rm -rf .venv-lock
