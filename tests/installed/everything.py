"""Runs every command and every method of an installed suite, as a user would.

    python tests/installed/everything.py            # all extras are installed: everything works
    python tests/installed/everything.py --core     # core dependencies alone: what needs an extra
                                                    # says which in one sentence, and writes nothing

With the interpreter of the environment to be tested. Exit code 1, with what went wrong, if
anything did. A command that is not in ``CALLS`` is a fault: add it there.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NASBENCH = Path(sys.executable).with_name("nasbench")
SECONDS = float(os.environ.get("NASBENCH_SECONDS", "300"))  # that a call may take

# Hyper-parameters that make a search short, for whatever method has them.
SHORT = {
    "candidates": 3,
    "cells": 2,
    "controller_draws": 2,
    "controller_steps": 1,
    "epochs": 2,
    "generations": 1,
    "interim": 1,
    "latency_column": "onnxruntime_ms",
    "latency_table": "digits",
    "latency_target": 0.5,
    "num_initial": 10,
    "orders": 1,
    "parents": 2,
    "population": 4,
    "population_size": 10,
    "sample_size": 3,
    "split_share": 0.5,
    "splits": 1,
    "rounds": 2,
    "searches": 2,
    "tuning": 1,
    "valid_batch": 50,
    "width": 4,
}

# One call of every command, in an order in which each finds what it needs. One folder for all.
CALLS = r"""
run --methods random,local-search,regularized-evolution[sample_size=5] --seeds 0-4 --evaluations 30
run --methods random,nsga2 --objectives onnxruntime_ms --evaluations 30 --store fronts.sqlite
run --methods random --seeds 0-3 --evaluations 10 --jobs 2 --time-limit 60 --store limits.sqlite
run --methods reinforce[learning_rate=0.1],reinforce --seeds 0-2 --evaluations 9 --store rl.sqlite
leaderboard
leaderboard --store fronts.sqlite --format json
compare
seeds --sd 1 --difference 0.5
table
figure
figure critical-difference --output ranks.pdf
report --output report.html
fronts --store fronts.sqlite
check --save --baseline baseline.json
check --baseline baseline.json
list
list methods
methods list
methods info random
data list
data where
data doctor table.csv --space nats-tss
data import table.csv --name mine --space nats-tss
data info mine
data fit-surrogate digits --name ours --metrics onnxruntime_ms
data info ours
data verify digits
space list
space show 5
space draw 5 --output cell.svg
export trials.csv
export evaluations.parquet --what evaluations
store list results.sqlite
store failures results.sqlite
store verify results.sqlite
store export results.sqlite rows.json
store backup results.sqlite copy.sqlite
store rename copy.sqlite random uniform
store remove copy.sqlite --methods local-search --yes
store merge results.sqlite limits.sqlite --output merged.sqlite
submit make mine.nasbench.json.gz --store limits.sqlite
submit verify mine.nasbench.json.gz --rerun 1
submit merge . --store submitted.sqlite
site . --output site
sensitivity reinforce learning_rate --store rl.sqlite
hardware count --output counts.parquet --setting digits
hardware measure --output one.parquet --setting digits --architectures 20 --rounds 2 --repeats 3
hardware measure --output two.parquet --setting digits --architectures 20 --rounds 2 --repeats 3
hardware compare one.parquet two.parquet
hardware add digits counts.parquet --output added.parquet
hardware predict counts.parquet --predictors additive --sizes 50 --repeats 1 --output predicted.csv
hardware fill one.parquet --output filled.parquet
predict --sizes 10,20 --seeds 0-1 --tested 100 --output predictors.csv --figure predictors.pdf
proxies compute --proxies flops,snip --architectures 25 --channels 4 --cells 1 \
    --output scores.parquet
proxies pack scores.jsonl --output packed.parquet
predict --predictors "" --scores scores.parquet --seeds 0-1 --heat-map proxies.pdf
data images
supernet drift --draws 20
supernet evaluate \
    "skip_connect~0|max_pool_3x3~1|skip_connect~0|sep_conv_3x3~1|skip_connect~1|skip_connect~2|\
skip_connect~3|max_pool_3x3~4 / max_pool_3x3~0|skip_connect~1|skip_connect~0|skip_connect~1|\
skip_connect~0|max_pool_3x3~2|skip_connect~0|skip_connect~2" \
    --images digits --epochs 1 --channels 4 --cells 3 --auxiliary 0 --cutout 0
run --methods darts[epochs=2,width=4,cells=2] --seeds 0-1 --store darts.sqlite
robustness --store darts.sqlite
vae train vae.npz --epochs 1 --held-out 0.1
vae embed vae.npz
vae score vae.npz
vae compare vaes --models arch2vec --seeds 0
vae plot vaes --benchmark digits --latency onnxruntime_ms
"""

# Commands that are not called, and why.
LEFT_OUT = {
    "data make digits": "trains for an hour",
    "hardware import": "needs an archive of others",
}


@dataclass(frozen=True)
class Answer:
    """What a call came to."""

    call: str
    code: int
    output: str
    errors: str

    def __str__(self) -> str:
        return f"nasbench {self.call}: exit code {self.code}\n{self.output[-2000:]}{self.errors}"


def nasbench(call: str, folder: Path) -> Answer:
    """Call the installed command in a folder; what takes too long has ended with 124."""
    try:
        done = subprocess.run(
            [NASBENCH, *shlex.split(call)],
            cwd=folder,
            env={**os.environ, "NASBENCH_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return Answer(call, 124, "", f"It did not end within {SECONDS:g} seconds.")
    return Answer(call, done.returncode, done.stdout, done.stderr)


def commands() -> list[str]:
    """All commands, groups before their members, as they are typed."""
    from typer.main import get_command

    from nasbench_suite.commands.app import build_app

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[str]:
        if words:
            yield " ".join(words)
        for name in command.list_commands(None) if hasattr(command, "list_commands") else ():
            yield from walk(command.get_command(None, name), (*words, name))

    return list(walk(get_command(build_app()), ()))


def helped(folder: Path) -> list[str]:
    """What is wrong with ``--help`` of any command."""
    calls = ["--help", "--version", *(f"{command} --help" for command in commands())]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda call: nasbench(call, folder), calls))
    print(f"--help of {len(calls)} commands")
    return [str(answer) for answer in answers if answer.code or not answer.output.strip()]


def one_sentence(answer: Answer) -> bool:
    """Whether a call was refused as it should be, for want of an extra."""
    last = (answer.errors.strip().splitlines() or [""])[-1]
    return (
        answer.code == 2
        and "Traceback" not in answer.errors
        and last.startswith("nasbench: ")
        and "nasbench-suite[" in last
    )


def called(folder: Path, core: bool) -> list[str]:
    """What is wrong with the calls, and which commands none of them is of."""
    write_table(folder / "table.csv")
    (folder / "vaes").mkdir()
    lines = CALLS.replace("\\\n", "").strip().splitlines()
    every = [shlex.join(shlex.split(line)) for line in lines]
    leaves = {c for c in commands() if not any(d.startswith(f"{c} ") for d in commands())}
    unseen = {
        command
        for command in leaves - LEFT_OUT.keys()
        if not any(f"{call} ".startswith(f"{command} ") for call in every)
    }
    wrong = [f"no call of `nasbench {command}` in CALLS" for command in sorted(unseen)]
    lacking = 0
    for call in every:
        answer = nasbench(call, folder)
        if core and one_sentence(answer):
            lacking += 1
            print(f"  {call}\n    {answer.errors.strip()}")
        elif answer.code and not (core and lacking and "There is no" in answer.errors):
            wrong.append(str(answer))
    print(f"{len(every)} calls of {len(leaves) - len(LEFT_OUT)} commands", end="")
    print(f", {lacking} of which name the extra that they need" if core else "")
    return wrong


def write_table(path: Path) -> None:
    """A table of the topology space to import."""
    from nasbench_suite import load_benchmark

    digits = load_benchmark("digits")
    names = ("digits_valid_8", "digits_test_8")
    rows = zip(*(digits.values(name).tolist() for name in names), strict=True)
    lines = [
        f"{digits.space.string(index)},{','.join(map(str, row))}" for index, row in enumerate(rows)
    ]
    path.write_text("\n".join([f"arch,{','.join(names)}", *lines]) + "\n")


def label(name: str, settings: dict[str, Any]) -> str:
    """The method with a short search."""
    chosen = ",".join(f"{key}={value}" for key, value in SHORT.items() if key in settings)
    return f"{name}[{chosen}]" if chosen else name


def searched(folder: Path, core: bool) -> list[str]:
    """What is wrong with a short trial of any registered method."""
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.tasks.methods import describe_methods, method_class

    def search(entry: dict[str, Any]) -> Answer:
        name = entry["name"]
        call = f"run --methods {label(name, entry['settings'])} --seeds 0 --evaluations 25 --quiet"
        try:
            several = method_class(name).multi_objective
        except SuiteError:
            several = False
        more = " --objectives onnxruntime_ms" if several else ""
        return nasbench(f"{call}{more} --store {name}.sqlite", folder)

    methods = describe_methods()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(search, methods))
    wrong, lacking = [], []
    for entry, answer in zip(methods, answers, strict=True):
        name = entry["name"]
        if core and one_sentence(answer):
            lacking.append(name)
            if (folder / f"{name}.sqlite").exists():
                wrong.append(f"{name} was refused, but not before a results file was made")
        elif answer.code:
            wrong.append(str(answer))
    print(f"a trial of {len(methods)} methods", end="")
    print(f", {len(lacking)} of which name the extra that they need" if core else "")
    return wrong


def main() -> int:
    """Do all; 1 if anything is wrong."""
    import nasbench_suite

    core = "--core" in sys.argv[1:]
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    where = Path(nasbench_suite.__file__ or "").resolve()
    if where.parents[1] == ROOT:
        print(f"{where} is the checkout: install the wheel, and run this elsewhere")
        return 1
    folder = Path(tempfile.mkdtemp(prefix="nasbench-"))
    try:
        wrong = [*helped(folder), *searched(folder, core), *called(folder, core)]
    finally:
        shutil.rmtree(folder)
    for fault in wrong:
        print(f"\nFAULT {fault}")
    print(f"{len(wrong)} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
