"""The documentation: built strictly, complete, and true of the commands it names."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from nasbench_suite import registry
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.commands.app import build_app
from nasbench_suite.parsing import parse_methods
from nasbench_suite.runner import run
from nasbench_suite.tasks import make_task
from nasbench_suite.tasks.methods import describe_methods, make_method, method_class

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def build(root: Path, site: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", site],
        cwd=root,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    folder = tmp_path_factory.mktemp("site")
    answer = build(ROOT, folder)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return folder


def test_every_method_has_a_card_with_its_source(site: Path) -> None:
    for method in describe_methods():
        if method["distribution"] != "nasbench-suite":
            continue
        page = (site / "cards" / method["name"] / "index.html").read_text()
        assert method["name"] in page
        for setting in method["settings"]:
            assert setting in page
        texts = [kind.__doc__ or "" for kind in method_class(method["name"]).__mro__]
        assert re.search(r"\b(19|20)\d\d\b", "".join(texts[:-3])), method["name"]


def test_the_references_are_filled(site: Path) -> None:
    python = (site / "reference" / "python" / "index.html").read_text()
    for name in ("nasbench_suite.runner.runs.run", "reports.html.report.write_report"):
        assert f'id="{name}"' in python
    commands = (site / "reference" / "commands" / "index.html").read_text()
    for name in ("nasbench-run", "nasbench-submit-verify", "nasbench-report"):
        assert f'id="{name}"' in commands


@pytest.mark.parametrize("link", ["(nowhere.md)", "(data.md#nothing)"])
def test_a_broken_link_breaks_the_build(tmp_path: Path, link: str) -> None:
    """Of the pages by hand alone, which is quick."""
    pytest.importorskip("mkdocs")
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    settings = (ROOT / "mkdocs.yml").read_text()
    plain = re.sub(r"^(plugins|hooks):\n(?: .*\n)+", "", settings, flags=re.MULTILINE)
    plain = plain[: plain.index("not_in_nav:")]
    (tmp_path / "mkdocs.yml").write_text(plain)
    index = tmp_path / "docs" / "index.md"
    index.write_text(re.sub(r"^.*(cards|reference)/.*\n", "", index.read_text(), flags=re.M))
    assert build(tmp_path, tmp_path / "site").returncode == 0
    index.write_text(f"{index.read_text()}\n[broken]{link}\n")
    answer = build(tmp_path, tmp_path / "site")
    assert answer.returncode != 0
    assert link.strip("()").partition("#")[0] in answer.stdout + answer.stderr


def test_the_readmes_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / "README.md").read_text()):
        assert (ROOT / target).exists(), target


def commands(text: str) -> Iterator[list[str]]:
    """The ``nasbench`` calls in the shell blocks of a page."""
    for block in re.findall(r"^```sh\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        joined = re.sub(r"\\\n\s*", " ", block)
        for line in joined.splitlines():
            for part in re.split(r"&&|\|\|", line):
                words = shlex.split(part, comments=True)
                if words[:1] == ["nasbench"]:
                    yield words[1:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_that_are_written_exist(page: Path) -> None:
    root: Any = get_command(build_app())
    for words in commands(page.read_text()):
        command = root
        while words and hasattr(command, "list_commands") and not words[0].startswith("-"):
            command = command.get_command(None, words.pop(0))
            assert command is not None, (page.name, words)
        assert command is not root, words
        known = {option for parameter in command.params for option in parameter.opts}
        for word in words:
            if word.startswith("-") and not word.lstrip("-").isdigit():
                assert word.partition("=")[0] in known, (page.name, word, words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_search_that_is_written_ends_before_it_begins(page: Path, toy: Benchmark) -> None:
    """A population that its budget does not fill would make a reader run random search."""
    for words in commands(page.read_text()):
        if words[:1] != ["run"] or "--methods" not in words or "--simulated-seconds" in words:
            continue
        given = dict(pairwise(words))
        if "$" in given["--methods"]:
            continue
        task = make_task(toy, evaluations=float(given.get("--evaluations", 200)))
        for name, settings in parse_methods(given["--methods"]):
            if name not in registry.entries("methods"):
                continue  # the reader's own
            said = " ".join(make_method(name, settings).hints(task))
            assert "before it learns anything" not in said, (words, said)


def on_a_terminal(block: str, columns: int, folder: Path) -> tuple[int, str]:
    """The exit status of Python code and what somebody sees of it, errors and warnings too."""
    pty, fcntl, termios = map(pytest.importorskip, ("pty", "fcntl", "termios"))
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    command = [sys.executable, "-W", "error::UserWarning", "-c", block]
    shown = b""
    with subprocess.Popen(
        command, cwd=folder, stdin=its, stdout=its, stderr=its, env=environment | {"TERM": "dumb"}
    ) as process:
        os.close(its)
        with suppress(OSError):  # how a terminal says that it has ended
            while part := os.read(ours, 1 << 16):
                shown += part
    os.close(ours)
    return process.returncode, shown.decode()


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize(
    "page", ["README.md", "docs/comparing.md", "docs/figures.md", "docs/python.md"]
)
def test_python_on_the_pages_runs(page: str, columns: int, toy: Benchmark, tmp_path: Path) -> None:
    """What is printed is whole, as wide as a terminal at most; nothing is warned of."""
    if page != "README.md":
        run(toy, "random,local-search", seeds=range(4), store=tmp_path / "results.sqlite")
    text = (ROOT / page).read_text()
    for block in re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        status, shown = on_a_terminal(block, columns, tmp_path)
        assert status == 0, block + shown
        assert "..." not in shown, shown
        too_wide = [line for line in shown.splitlines() if " " in line and len(line) > columns]
        assert not too_wide  # but for an architecture, which is one word
