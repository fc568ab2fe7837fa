"""Names that steer, hide, run or look like others, in every output; under poor encodings too."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from nasbench_suite.benchmarks import load_benchmark
from nasbench_suite.benchmarks.table_file import write_benchmark
from nasbench_suite.commands import main
from nasbench_suite.lookalikes import shown_name
from nasbench_suite.runner import run
from nasbench_suite.store import ResultStore
from search_methods.random_search import RandomSearch

LABELS = (
    r"$\foo{$",
    "=cmd|' /C calc'!A0",
    "\x1b[2J\x1b]0;mine",
    "evil\u202emodnar",
    "r\u0430ndom",
    "ran\u200bdom",
    "ran\u3164dom",
    "<script>alert(1)</script>",
    r"\input{/etc/passwd}",
    "_a^b&c%d#e~f{",
    "[bold]x[/bold]",
    "random",
)
NEVER = ("\x1b", "\u202e", "\u200b", "\u3164", "<script>alert", "<bold")
TABLES = (
    ("leaderboard", "terminal"), ("leaderboard", "csv"), ("leaderboard", "latex"),
    ("leaderboard", "markdown"), ("leaderboard", "json"), ("compare", "terminal"),
    ("compare", "latex"), ("robustness", "terminal"), ("table", "latex"),
)  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("names") / "r.sqlite"
    digits = load_benchmark("digits")
    small = digits.restricted(np.arange(0, digits.space.size, 100))
    methods = [(f"m{number}", RandomSearch()) for number in range(len(LABELS))]
    run(small, methods, seeds=3, evaluations=5, store=path)
    with ResultStore(path) as results:
        for method in results.methods():
            label = LABELS[int(method.label[1:])]
            results.change_method(method.model_copy(update={"label": label}))
    return path


def call(
    monkeypatch: pytest.MonkeyPatch, *arguments: str, encoding: str = "utf-8"
) -> tuple[int, str, str]:
    """Exit code, output and error of a command in this process; what escapes it escapes here."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2)]
    monkeypatch.setattr(sys, "argv", ["nasbench", *arguments])
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    monkeypatch.setenv("COLUMNS", "200")
    code = 0
    try:
        main()
    except SystemExit as ending:
        code = int(ending.code or 0)
    texts = []
    for stream in streams:
        stream.flush()
        texts.append(stream.buffer.getvalue().decode("utf-8", "replace"))  # type: ignore[attr-defined]
    return code, texts[0], texts[1]


@pytest.mark.parametrize(("command", "form"), TABLES)
def test_no_name_steers_hides_or_runs_in_a_table(
    store: Path, monkeypatch: pytest.MonkeyPatch, command: str, form: str
) -> None:
    code, output, error = call(monkeypatch, command, str(store), "--format", form)
    assert code == 0
    assert not error or error.endswith("here they are one method.\n")
    for name in NEVER[: 4 if form in ("json", "markdown", "csv", "latex", "terminal") else 6]:
        assert name not in output
    assert not any(name in error for name in NEVER[:4])
    if form == "json":
        output = output.encode().decode("unicode_escape")
    assert "U+0430" in output.replace("\\", "")
    if form == "csv":
        cells = [cell for row in csv.reader(io.StringIO(output)) for cell in row]
        assert "'=cmd|' /C calc'!A0" in cells
        assert not any(cell.startswith(("=", "@", "+")) for cell in cells)
    if form == "latex":
        for number in (0, 8, 9):
            assert LABELS[number] not in output
        assert not re.search(r"(?<!textbackslash\{\})(input|foo)\b", output)


@pytest.mark.parametrize("form", ["svg", pytest.param("pdf", marks=pytest.mark.slow)])
def test_no_name_ends_a_figure(store: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    figure = store.with_name(f"figure.{form}")
    code, _, error = call(monkeypatch, "leaderboard", str(store), "--figure", str(figure))
    assert (code, error.strip()) == (0, f"The anytime curves are in {figure}.")
    if form == "svg":
        assert not any(name in figure.read_text() for name in NEVER)
        assert "U+0430" in figure.read_text()  # each text stands as a comment before its outlines


def test_no_name_runs_in_a_page(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = store.with_name("report.html")
    code, _, error = call(monkeypatch, "report", str(store), "-o", str(page))
    assert code == 0
    assert error.count("\n") == 1
    assert error.endswith("made the same evaluations with every seed: here they are one method.\n")
    assert not any(name in page.read_text() for name in NEVER)
    assert "U+0430" in page.read_text()


@pytest.mark.parametrize("encoding", ["ascii", pytest.param("cp1252", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "command",
    [
        ("leaderboard",), ("compare",), ("robustness",), ("table", "--format", "markdown"),
        ("store", "list"), ("store", "verify"), ("methods", "list"), ("data", "list"),
        ("list",), ("--help",), ("data", "info", "digits"), ("leaderboard", "--format", "csv"),
        ("seeds", "--help"), ("data", "info", "d\u0456gits"), ("space", "show", "42"),
    ],
    ids=lambda words: "-".join(words),
)  # fmt: skip
def test_a_poor_terminal_gets_what_it_can_show(
    store: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], encoding: str
) -> None:
    reads = command[0] in ("leaderboard", "compare", "robustness", "table") or "store" in command
    named = [*command[:2], str(store), *command[2:]] if command[0] == "store" else list(command)
    if reads and command[0] != "store":
        named = [command[0], str(store), *command[1:]]
    code, output, error = call(monkeypatch, *named, encoding=encoding)
    assert "Traceback" not in output + error
    if "d\u0456gits" in command:
        assert (code, output) == (2, "")
        assert error.startswith("nasbench: ")
    else:
        assert code == 0, error
        assert output.strip()


def test_names_that_look_like_others_are_told() -> None:
    assert shown_name("m\u0435thod") == "m\u0435thod (letters that look Latin: U+0435)"
    assert shown_name("\u0441\u043e\u0440") == (
        "\u0441\u043e\u0440 (letters that look Latin: U+0441, U+043E, U+0440)"
    )
    assert "U+FF52" in shown_name("\uff52andom")
    for honest in (
        "random",
        "\u043c\u0435\u0442\u043e\u0434",
        "\u03b2-darts",
        "na\u00efve",
        "\u63a2",
    ):
        assert shown_name(honest) == honest
    assert shown_name("a" + "\u0300" * 50) == "a" + "\u0300" * 3 + r"\u0300" * 47
    assert shown_name("a\u00adb\u202ec\ufe0f") == r"a\xadb\u202ec\ufe0f"


def test_a_path_that_is_no_text_is_read_written_and_printed(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Linux a path is bytes: whatever prints or embeds one shows what it can."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xe9"))
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system has text alone for names")
    ours, table = folder / "r\udcfe.sqlite", folder / "t\udcfe.parquet"
    shutil.copy(store, ours)
    write_benchmark(load_benchmark("digits").restricted(np.arange(0, 15_625, 500)), table)
    commands = [
        ("leaderboard", ours, "--figure", folder / "f.svg"), ("compare", ours),
        ("report", ours, "-o", folder / "r.html"),
        ("figure", "anytime", "--store", ours, "-o", folder / "a.pdf"),
        ("table", ours), ("store", "verify", ours), ("store", "backup", ours, folder / "b.sqlite"),
        ("store", "list", ours), ("store", "export", ours, folder / "e.csv"),
        ("export", folder / "x.csv", "--store", ours), ("data", "info", table),
        ("run", "--benchmark", table, "--methods", "random", "--seeds", "0-1", "--evaluations", "5",
         "--store", folder / "n.sqlite", "--executor", "this-process"),
        ("submit", "make", folder / "s.nasbench.json.gz", "--store", folder / "n.sqlite"),
        ("check", "--store", folder / "n.sqlite", "--save", "--baseline", folder / "b.json"),
    ]  # fmt: skip
    refused = [
        ("leaderboard", folder / "none.sqlite"), ("submit", "verify", folder / "none.gz"),
        ("report", ours, "-o", folder / "none" / "r.html"), ("data", "import", ours),
        ("leaderboard", table), ("check", "--store", ours, "--baseline", table),
    ]  # fmt: skip
    for command in commands:
        code, output, error = call(monkeypatch, *map(str, command), encoding="ascii")
        assert code == 0, (command, output, error)
    for command in refused:
        code, _, error = call(monkeypatch, *map(str, command), encoding="ascii")
        assert code == 2, command
        # What is said of methods that are one stands before it.
        assert error.splitlines()[-1].startswith("nasbench: "), (command, error)
