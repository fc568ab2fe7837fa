"""Tables in a real terminal of several widths: every cell is there, whole."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys

import numpy as np
import pytest

from nasbench_suite import load_benchmark
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.commands.printing import table_lines
from nasbench_suite.runner import run
from reports.tables.rendering import Sheet, Table
from reports.tables.terminal import to_terminal
from search_methods.regularized_evolution import RegularizedEvolution

WIDTHS = (60, 80, 100, 200)
LONG = RegularizedEvolution(population_size=10, sample_size=5)

# Every command that prints tables, computed once and shown at every width, in one process on one
# terminal; what is to be seen is told beside it, as it was given to the terminal.
PROGRAM = """
import fcntl, json, struct, sys, termios
import nasbench_suite.commands.printing as printing
import reports.tables.terminal as terminal
from nasbench_suite.commands import main
from reports.commands.options import Format, print_sheet

told, store, fronts, folder = open(sys.argv[1], "w"), *sys.argv[2:5]
widths = list(map(int, sys.argv[5:]))
tables = [f"{folder}/{name}.csv" for name in "abc"]
GROUPS = ("data", "space", "store", "hardware", "vae", "supernet")
as_it_is = terminal.to_terminal
made = []

def noted(sheet, *settings, **more):
    made.append(sheet)
    return as_it_is(sheet, *settings, **more)

terminal.to_terminal = noted
lines_as_they_are = printing.table_lines

def noted_lines(heads, rows, *more):
    plain.append(["", heads, rows])
    return lines_as_they_are(heads, rows, *more)

printing.table_lines = noted_lines
plain = []

# What takes long is computed once for all widths.
def once(module, name, made=None):
    function, kept = getattr(module, name), [] if made is None else [made]
    def call(*arguments, **settings):
        kept[:] = kept or [function(*arguments, **settings)]
        return kept[0]
    setattr(module, name, call)

import hardware.comparing, hardware.predictors, hardware.transfer, pandas
import search_methods.graph_vae.comparison as vaes, search_methods.supernet.drift as drift
once(hardware.predictors, "learning_curves")
once(hardware.transfer, "transfer_curves")
once(drift, "variance_drift")
scores = [{"model": model, **{column: 0.5 + seed / 7 for column in vaes.SHOWN}}
          for model in ("graph-vae", "sequence-vae", "d-vae", "arch2vec") for seed in range(3)]
once(vaes, "compare", pandas.DataFrame(scores))

def begin(width, words):
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    sys.stdout.flush()
    named = words[: 3 if "--transfer" in words[2:3] else 2] if words[0] in GROUPS else words[:1]
    name = " ".join([str(width), *named])
    print(f"@@ {name}", flush=True)
    told.write(json.dumps(name) + "\\n")

for words in (
    ["leaderboard", store], ["compare", store, "--resamples", "20"], ["robustness", store],
    ["fronts", fronts], ["sensitivity", "evolution", "population_size", "--store", store],
    ["methods", "list"], ["data", "list"], ["data", "info", "digits"], ["space", "list"],
    ["store", "list", store],
    ["hardware", "compare", *tables], ["hardware", "predict", *tables, "--predictors", "additive",
     "--sizes", "20,25,30,35,40,45,50", "--repeats", "1"],
    ["hardware", "predict", "--transfer", *tables, "--sizes", "5,10,15", "--repeats", "1"],
    ["vae", "compare", folder], ["supernet", "drift", "--draws", "2"],
    ["predict", "--predictors", "gp,random-forest[num_trees=10]", "--sizes", "20", "--seeds", "0-1",
     "--tested", "100"],
):
    made.clear()
    for width in widths:
        plain.clear()
        begin(width, words)
        if made:
            print_sheet(made[0], Format.TERMINAL)
        else:
            sys.argv = ["nasbench", *words]
            try:
                main()
            except SystemExit as ended:
                assert not ended.code, (words, ended.code)
        for sheet in made[:1]:
            told.write(json.dumps([[t.title, t.columns, t.rows] for t in sheet.tables]) + "\\n")
        if plain:
            told.write(json.dumps(plain) + "\\n")
sys.stdout.flush()
"""


@pytest.fixture(scope="module")
def seen(
    toy: Benchmark, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, list[str]], dict[str, list[list[object]]]]:
    """Lines of the terminal, and tables that were to be shown, by width and command."""
    folder = tmp_path_factory.mktemp("terminal")
    other = RegularizedEvolution(population_size=20, sample_size=5)
    methods = ["random", "local-search", ("evolution", LONG), ("evolution", other)]
    run(toy, methods, seeds=range(6), store=folder / "r.sqlite", evaluations=30)
    run(toy, methods[:2], seeds=range(6), store=folder / "r.sqlite", evaluations=40)
    run(
        toy,
        "random,nsga2[population_size=10]",
        seeds=range(3),
        store=folder / "f.sqlite",
        evaluations=40,
        objectives=["toy_train_time_9"],
    )
    digits, rng = load_benchmark("digits"), np.random.default_rng(0)
    rows = rng.choice(digits.space.size, 60, replace=False)
    for name, device in zip("abc", ("pixel_3_of_2018", "raspberry_pi_5", "edge_tpu"), strict=True):
        costs = digits.values("onnxruntime_ms")[rows] * rng.uniform(0.8, 1.2, len(rows))
        lines = [f"{digits.space.string(r)},{c}" for r, c in zip(rows, costs, strict=True)]
        (folder / f"{name}.csv").write_text("\n".join([f"arch,{device}_ms", *lines]))
    master, slave = pty.openpty()
    # Output is not to be waited for: what the terminal holds is read while the program runs.
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            PROGRAM,
            *(folder / name for name in ("told", "r.sqlite", "f.sqlite", "")),
            *map(str, WIDTHS),
        ],
        stdout=slave,
        stderr=subprocess.PIPE,
        stdin=slave,
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"},
    )
    os.close(slave)
    output = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:
            break
        output += chunk
    assert child.stderr is not None
    assert child.wait() == 0, child.stderr.read().decode()
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", output.decode()).replace("\r", "")
    shown: dict[str, list[str]] = {}
    for part in text.split("@@ ")[1:]:
        name, *lines = part.split("\n")
        shown[name] = lines
    tables: dict[str, list[list[object]]] = {}
    name = ""
    for line in (folder / "told").read_text().splitlines():
        content = json.loads(line)
        if isinstance(content, str):
            name = content
        else:
            tables[name] = content
    return shown, tables


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "command", ["leaderboard", "compare", "robustness", "sensitivity", "fronts", "predict"]
)
def test_every_cell_is_shown_whole(seen, width: int, command: str) -> None:  # type: ignore[no-untyped-def]
    lines, tables = (part[f"{width} {command}"] for part in seen)
    assert tables
    text = "\n".join(lines)
    for _, columns, rows in tables:
        for name in columns:
            assert all(word in text for word in name.split()), name
        for row in rows:
            for cell in filter(None, row):
                assert re.search(rf"(^|  ){re.escape(cell)}(  |$)", text, re.MULTILINE), cell
    names = {cell for _, _, rows in tables for row in rows for cell in row if "[" in cell}
    for line in lines:
        assert len(line) <= width or any(name in line for name in names), line


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "command",
    [
        *("data list", "data info", "space list", "store list", "supernet drift", "vae compare"),
        *("hardware compare", "hardware predict", "hardware predict --transfer"),
    ],
)
def test_every_cell_of_a_list_is_shown_whole(seen, width: int, command: str) -> None:  # type: ignore[no-untyped-def]
    lines, tables = (part[f"{width} {command}"] for part in seen)
    assert tables
    for _, columns, rows in tables:
        assert any(line.startswith(columns[0]) for line in lines)
        for row in rows:
            assert any(line.startswith(row[0]) for line in lines), row
            # A cell that is wider than its room goes on below itself, broken at spaces alone.
            for word in " ".join(row[1:]).split():
                whole = re.compile(rf"(^|\s){re.escape(word)}(\s|$)")
                assert any(map(whole.search, lines)), word
    names = [row[: 1 + (command == "store list")] for _, _, rows in tables for row in rows]
    taken = max(sum(len(part) + 2 for part in row) for row in names)
    broken = [line for line in lines if " " in line]  # names and checksums are not
    assert max(map(len, broken)) <= max(width, taken + 24)


def test_a_table_that_does_not_fit_names_its_rows_again_and_aligns_numbers() -> None:
    heads = ("task", "method", "finished", "seeds", "said")
    rows = [
        ("digits", "random", "50", "0-49", "a sentence of words"),
        ("digits", "tpe", "5", "0-4", ""),
    ]
    assert list(table_lines(heads, rows, 200)) == [
        "task    method  finished  seeds  said",
        "digits  random        50   0-49  a sentence of words",
        "digits  tpe            5    0-4",
    ]
    assert list(table_lines(heads, rows, 40, names=2)) == [
        "task    method  finished  seeds",
        "digits  random        50   0-49",
        "digits  tpe            5    0-4",
        "",
        "task    method  said",
        "digits  random  a sentence of words",
        "digits  tpe",
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_methods_are_listed_with_every_word(seen, width: int) -> None:  # type: ignore[no-untyped-def]
    lines = seen[0][f"{width} methods"]
    text = " ".join(" ".join(lines).split())
    assert "regularized-evolution" in text
    assert "Mutate the best of a random sample of the population; the oldest member dies." in text
    assert "population_size" not in text  # hyper-parameters are told by `methods info`


def test_a_wide_terminal_takes_one_block_and_a_narrow_one_keeps_marks_beside() -> None:
    table = Table(
        "t", "s", ("#", "method", "IQM", "", "interval"),
        (("1", "random", "94.37", "✓", "[93.89, 94.86]"),), (True,), (),
    )  # fmt: skip

    def lines(width: int) -> list[str]:
        parts = to_terminal(Sheet((table,), ()), "utf-8", width)
        return [str(part) for part in parts]

    assert sum("method" in line for line in lines(40)) == 1
    narrow = lines(26)
    assert sum("method" in line for line in narrow) == 2
    assert any("94.37  ✓" in line for line in narrow)
    assert "94.37  *" in "\n".join(
        str(part) for part in to_terminal(Sheet((table,), ()), "ascii", 40)
    )


def test_names_that_leave_no_room_stand_above_their_figures() -> None:
    name = "regularized-evolution[population_size=50]"
    table = Table("t", "s", ("method", "IQM"), ((name, "94.37"),), (False,), ())
    parts = [str(part) for part in to_terminal(Sheet((table,), ()), "utf-8", 44)]
    assert name in parts
    assert "  94.37" in parts
