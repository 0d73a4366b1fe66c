# Every target works as the first command in a fresh clone: it makes .venv and installs what it needs.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed

.PHONY: demo test check sim bench setup clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e '.[local,dev]'
	touch $(STAMP)

demo: $(STAMP)
	$(BIN)/aios demo

test: $(STAMP)
	$(BIN)/python -m pytest

check: $(STAMP)
	$(BIN)/ruff format --check src tests examples docs
	$(BIN)/ruff check src tests examples docs
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/ratchet.py

sim: $(STAMP)
	$(BIN)/python -m aios.testing.sim --seeds 1000

bench: $(STAMP)
	for name in overhead scaling switch throughput; do $(BIN)/aios bench $$name --quick || exit 1; done

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
