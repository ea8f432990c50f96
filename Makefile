# `make demo` runs the governed reference project on real data, `make test` passes the tests; each makes what it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.labeltrail-installed
PEERS := .venv-peers
PEERS_STAMP := $(PEERS)/.installed
LABELTRAIL := $(BIN)/labeltrail

.PHONY: demo test check bench faults soak soak-repro soak-store soak-erasing clean

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[reference]" --group dev
	@touch $(STAMP)

demo: $(STAMP)
	@$(LABELTRAIL) init
	@$(LABELTRAIL) repro
	@$(BIN)/python -m pipelines.summary

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --cov=governance --cov-fail-under=90 --cov-report=term:skip-covered

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

# What we are measured beside has an environment of its own: its requirements are not ours.
$(PEERS_STAMP): constraints-peers.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --constraint constraints-peers.txt mlflow crowd-kit
	@touch $(PEERS_STAMP)

bench: $(STAMP) $(PEERS_STAMP)
	$(BIN)/python -m bench

faults: $(STAMP)
	$(BIN)/python tests/seeded_faults.py

# Kills and failing disks: first of `labeltrail repro`, then of those who write to a store (needs strace).
soak: soak-repro soak-store soak-erasing

soak-repro: $(STAMP)
	$(BIN)/python tests/soak.py

soak-store: $(STAMP)
	$(BIN)/python tests/soak_store.py

soak-erasing: $(STAMP)
	$(BIN)/python tests/soak_erasing.py

clean:
	rm -rf artifacts dist
