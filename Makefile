# What is done often. `make install` once, in an environment of its own.
.PHONY: install lint format test slow docs bench planted wheel lowest pythons ci

install:  ## the package, in place, with what tests need; torch's processor build first
	pip install torch --index-url https://download.pytorch.org/whl/cpu || pip install torch==2.13.0
	pip install --editable ".[torch,ray,test]" pre-commit

lint:
	ruff check .
	ruff format --check .
	mypy

format:
	ruff check --fix .
	ruff format .

test:  ## some minutes
	pytest -n 2 --dist worksteal

slow:  ## what takes ten seconds or more, and is left out of `make test`
	pytest -n 2 --dist worksteal -m slow

docs:
	mkdocs build --strict

bench:  ## the suite's own speed
	pytest tests/benchmarks --benchmark-enable

planted:  ## do the tests notice faults that break what the documentation promises?
	python tests/faults/planted.py

wheel:  ## what a user installs
	.ci/run wheel core

lowest:  ## the lowest versions of all dependencies
	.ci/lowest

pythons:  ## every Python that is promised
	.ci/pythons

ci:  ## all that a submission must pass
	.ci/run
