# Every target works as the first command in a fresh clone: it makes .venv and installs what it needs.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed

.PHONY: demo test check sim bench interop five setup clean

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

# Each is run, whatever became of the one before. Without AIOS_DATA eviction makes its streams up.
BENCHMARKS := agentdojo decode durability eviction hostile load overhead retrieval scaling switch throughput tools traffic

bench: $(STAMP)
	@test -n "$$AIOS_DATA" || echo "AIOS_DATA names no folder with traces: eviction has made-up streams"
	@failed=""; for name in $(BENCHMARKS); do \
		echo "aios bench $$name --quick"; \
		$(BIN)/aios bench $$name --quick || failed="$$failed $$name"; \
	done; test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

# Other people's frameworks, each in an environment of its own under .interop; ONLY=NAME tries one.
interop: $(STAMP)
	$(BIN)/python -m tests.interop.run $(if $(ONLY),--only $(ONLY))

# The paper's five kinds of agent at once on one kernel, three of them other people's frameworks.
five: $(STAMP)
	$(BIN)/python -m examples.five_kinds.run

clean:
	rm -rf .venv .interop .mypy_cache .ruff_cache .pytest_cache .hypothesis
