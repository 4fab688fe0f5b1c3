# make paper   the whole paper, from nothing
# make test    lint, types and tests
# make check   lint and types alone
# make bench   speed, as ratios in one run
# make test-cluster   the paper on a real Slurm that is started for it (Debian or Ubuntu)

PYTHON ?= python3
CORES ?= $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$(( n < 4 ? n : 4 )))
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: test-faults paper report status check lint types test test-cluster bench constraints clean

paper: .venv/.runs
	snakemake --cores $(CORES)

report: .venv/.runs
	snakemake --cores $(CORES) report

status: .venv/.runs
	python -m sidestep status --watch

check: lint types

lint: .venv/.tests
	ruff check
	ruff format --check
	snakefmt --check Snakefile workflow
	snakemake --lint
	lint-imports

types: .venv/.tests
	mypy

test: check
	pytest

# A Slurm of our own, whose programs are installed if they are missing; at most ten minutes, whatever happens.
test-cluster: .venv/.cluster
	tests/cluster/install-slurm
	timeout -k 30 600 pytest -m cluster -n 0 tests/cluster

# A seeded sample; FULL=1 make test-faults tries all.
test-faults: .venv/.tests
	pytest -m faults tests/faults

bench: .venv/.runs
	python benchmarks/run.py

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "error: Python 3.11 or newer is needed; name one with make PYTHON=..." >&2; exit 2; }
	$(PYTHON) -m venv .venv

# A broken installation leaves no stamp, so the next call tries again.
.venv/.runs: pyproject.toml constraints.txt | .venv/bin/python
	pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

.venv/.tests: pyproject.toml constraints.txt | .venv/.runs
	pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

.venv/.cluster: pyproject.toml constraints.txt | .venv/.tests
	pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,cluster]'
	@touch $@

constraints: .venv/.cluster
	@{ grep '^#' constraints.txt; pip freeze --exclude-editable | sed 's/+cpu$$//'; } > constraints.new
	@mv constraints.new constraints.txt

clean:
	rm -rf results .snakemake
