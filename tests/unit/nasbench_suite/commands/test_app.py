"""The command line as a whole: quick, and not to be killed by a command that cannot be imported."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nasbench_suite.import_faults import broken_package

ROOT = Path(__file__).resolve().parents[4]
Call = Callable[..., subprocess.CompletedProcess[str]]

# As `nasbench` does, without the finder of an editable installation, which would find our modules
# where an ordinary one does not.
PROGRAM = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "Editable" not in repr(finder)]
from nasbench_suite.commands import main
main()
"""


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """``nasbench`` as it is installed, in a folder, with further folders first on the path."""
    installed = tmp_path / "installed"
    installed.mkdir()
    for package in ("nasbench_suite", "search_methods", "hardware", "reports"):
        (installed / package).symlink_to(ROOT / package)

    def nasbench(*arguments: str, path: Path | str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-c", PROGRAM, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": f"{path or installed}{os.pathsep}{installed}"},
            capture_output=True,
            text=True,
        )

    return nasbench


def distribution(folder: Path, name: str, points: str, *files: str) -> None:
    """The metadata of an installed distribution."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(points)
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))


def test_help_lists_every_command_and_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "sys.argv = ['nasbench', '--help']\n"
        "from nasbench_suite.commands import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'numpy', 'pandas', 'torch', 'matplotlib', 'pyarrow', 'rich', 'pydantic'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "heavy: []" in answer.stdout, answer.stdout + answer.stderr
    # Commands stand under headings, their names two spaces in.
    listed = [line.split()[0] for line in answer.stdout.splitlines() if line[2:3].isalpha()]
    assert {"run", "check", "list", "methods", "hardware", "report", "vae"} <= set(listed)
    assert "\nMore:" not in answer.stdout  # each of ours belongs to a group


def test_help_takes_at_most_three_times_what_typer_takes_to_be_imported() -> None:
    """Below 0.2 s on an idle core; processor time as a ratio, which holds on a busy one."""

    def seconds(program: str) -> float:
        timed = f"import time\n{program}\nprint(time.process_time(), file=sys.stderr)"
        runs = [
            subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True)
            for _ in range(3)
        ]
        return min(float(run.stderr) for run in runs)

    helped = (
        "import sys\nsys.argv = ['nasbench', '--help']\n"
        "from nasbench_suite.commands import main\ntry: main()\nexcept SystemExit: pass"
    )
    assert seconds(helped) < 3 * seconds("import sys, typer, rich")


def test_a_command_that_cannot_be_imported_is_listed_with_its_reason(
    call: Call, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    points = "[nasbench_suite.commands]\nbroken = broken_command:app\nfine = fine_command:hello\n"
    distribution(site, "third", points)
    (site / "broken_command.py").write_text("import no_such_package\n")
    (site / "fine_command.py").write_text("def hello():\n    '''Greet.'''\n    print('hello')\n")
    reason = "needs the package 'no_such_package', which is not installed"
    listed = call("--help", path=site)
    assert listed.returncode == 0
    assert reason in " ".join(listed.stdout.split())
    assert "Greet." in listed.stdout
    assert call("--version", path=site).stdout.startswith("nasbench-suite ")
    assert call("fine", path=site).stdout == "hello\n"
    assert call("space", "show", "3", path=site).returncode == 0
    for arguments in ((), ("--help",), ("deep", "--option", "3")):
        answer = call("broken", *arguments, path=site)
        assert answer.returncode == 2
        assert answer.stderr.startswith(f"nasbench: Command 'broken' {reason}")
        assert answer.stderr.count("\n") == 1


def test_a_users_own_package_of_our_name_is_named(call: Call, tmp_path: Path) -> None:
    """PYTHONPATH=. in a project that has a package ``reports`` of its own."""
    own = tmp_path / "reports" / "__init__.py"
    own.parent.mkdir()
    own.write_text("")
    assert call("--version", path=".").returncode == 0
    assert call("space", "show", "3", path=".").returncode == 0
    answer = call("leaderboard", path=".")
    assert answer.returncode == 2
    assert f"the package 'reports' is shadowed by {own.resolve()}: rename that" in answer.stderr
    assert "shadowed by" in " ".join(call("--help", path=".").stdout.split())


def test_a_distribution_that_wrote_over_a_package_of_ours_is_named(
    call: Call, tmp_path: Path
) -> None:
    """As ``pip install hardware`` does, whose ``hardware/__init__.py`` has no ``commands``."""
    site = tmp_path / "site"
    distribution(site, "hardware", "", "hardware/__init__.py")
    (site / "hardware").mkdir()
    (site / "hardware" / "__init__.py").write_text("raise RuntimeError('another package')\n")
    answer = call("hardware", "--help", path=site)
    assert answer.returncode == 2
    assert str(site / "hardware" / "__init__.py") in answer.stderr
    assert call("list", "methods", path=site).returncode == 0


def test_an_interrupt_is_answered_in_a_sentence(call: Call) -> None:
    program = (
        "from nasbench_suite.commands import main, app\n"
        "import typer\n"
        "def interrupted(): raise KeyboardInterrupt\n"
        "made = typer.Typer()\n"
        "made.command()(interrupted)\n"
        "app.build_app = lambda: made\n"
        "import sys; sys.argv = ['nasbench']\n"
        "main()\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.returncode == 130
    assert answer.stderr.count("the same command goes on") == 1


def test_an_unknown_command_is_answered_with_the_nearest(call: Call) -> None:
    answer = call("leaderbord")
    assert answer.returncode == 2
    assert answer.stderr == "nasbench: Unknown command 'leaderbord': did you mean 'leaderboard'?\n"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("raise ImportError('requires NumPy 2.0 or newer')", "requires NumPy 2.0 or newer"),
        ("import no_such_package", "No module named 'no_such_package'"),
    ],
)
def test_a_package_of_others_that_cannot_be_imported_is_named_in_a_sentence(
    call: Call, tmp_path: Path, source: str, why: str
) -> None:
    (tmp_path / "broken" / "pyarrow").mkdir(parents=True)
    (tmp_path / "broken" / "pyarrow" / "__init__.py").write_text(source)
    answer = call("data", "info", "digits", path=tmp_path / "broken")
    assert answer.returncode == 2
    assert why in answer.stderr
    assert "cannot be imported" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_an_import_that_is_wrong_in_the_suite_is_no_fault_of_an_installation() -> None:
    with pytest.raises(ImportError) as found:
        exec("from nasbench_suite.errors import no_such_thing", {"__name__": "nasbench_suite.x"})
    assert broken_package(found.value) is None
