# The few commands of a checkout: install, demo, check, test, bench, readme, lock.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed
# pip-compile must see the public registry only, whatever this machine's pip is set up with
PLAIN_PIP := env -u PIP_FIND_LINKS PIP_CONFIG_FILE=/dev/null

.PHONY: install clients demo check test faults bench readme lock clean
.DEFAULT_GOAL := install

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lgsp needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

# foreign clients that no Debian package has: openapi-python-client in a venv of its own, what npm has beside its test
NPM_CLIENTS := tests/clients/node tests/clients/typescript
clients: .venv-clients/installed $(NPM_CLIENTS:%=%/node_modules/.package-lock.json)

.venv-clients/installed: tests/clients/rest/requirements.lock
	$(PYTHON) -m venv .venv-clients
	.venv-clients/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

tests/clients/%/node_modules/.package-lock.json: tests/clients/%/package-lock.json
	cd $(<D) && npm ci --no-audit --no-fund --loglevel error

demo: install
	$(BIN)/lgsp demo $(if $(ONCE),--once)

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# two processes; files that wait for clocks and crashes lie beside those that compute, and start early
test: install
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

# every row of the fault matrix, on PostgreSQL and RabbitMQ where it can stand there; LONG=1 runs each twenty times. In CI none may be missing.
FAULTS := --fault all --messages 200 --rate 40 --kills 2 $(if $(CI),--strict)
faults: install
	$(BIN)/lgsp prove $(FAULTS) $(if $(LONG),--runs 20) --json faults.json \
		--database "$${LGSP_TEST_DATABASE_URL:-postgresql://postgres@127.0.0.1:5432/postgres}" \
		--broker "$${LGSP_TEST_BROKER_URL:-amqp://guest:guest@127.0.0.1:5672//}"

bench: install
	$(BIN)/lgsp bench mediation
	$(BIN)/lgsp bench accept
	$(BIN)/lgsp bench deliver
	$(BIN)/lgsp bench codec

readme: install
	$(BIN)/python tests/shape/test_readme.py

lock: install
	$(PLAIN_PIP) CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --extra dev --generate-hashes --allow-unsafe \
		--strip-extras --no-emit-options --no-emit-trusted-host --output-file requirements.lock pyproject.toml
	$(PLAIN_PIP) CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe \
		--strip-extras --no-emit-options --no-emit-trusted-host --output-file tests/clients/rest/requirements.lock tests/clients/rest/requirements.in

clean:
	rm -rf .venv .venv-clients $(NPM_CLIENTS:%=%/node_modules) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
