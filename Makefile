PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: serve test lint protos clean

serve: .venv/.server  ## serve the embedded default model: REST on 8080, gRPC on 8081
	$(BIN)/gapo serve

test: .venv/.dev  ## install what the tests need and run them all
	$(BIN)/python -m pytest

lint: .venv/.dev  ## formatting rules, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

protos: .venv/.dev  ## regenerate the committed stubs
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python -m grpc_tools.protoc -I protos --python_out=clients/python \
	  --grpc_python_out=clients/python --mypy_out=clients/python protos/gapo/v1/*.proto
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python -m grpc_tools.protoc -I protos --python_out=server/gapo_server \
	  --mypy_out=server/gapo_server protos/inference/*.proto

.venv/bin/pip:
	$(PYTHON) -m venv .venv

.venv/.server: .venv/bin/pip pyproject.toml constraints.txt
	$(PIP) -e '.[server]'
	touch $@

.venv/.dev: .venv/bin/pip pyproject.toml constraints.txt
	$(PIP) 'torch==2.13.0'
	$(PIP) -e '.[dev]'
	-$(PIP) --no-deps openrlhf==0.11.2  # its client, one file, is a test; it has no wheel for some Pythons
	-$(PIP) --no-deps verl==0.9.1  # so are verl's reward loop
	-$(PIP) --no-deps areal==1.0.4  # and AReaL's wrapper of reward functions
	-$(PIP) python-rapidjson geventhttpclient && $(PIP) --no-deps tritonclient==2.73.0  # and Triton's clients
	touch $@ .venv/.server

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
