"""Which room may import which: data flows one way, and no modules go round in a circle.

Read from the source, so that imports within functions and for type checkers alone count too. The
picture is in docs/architecture.md.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("nasbench_suite", "search_methods", "hardware", "reports")

# From the bottom up: a room may import what stands in lines above it here, and itself.
LAYERS = (
    ("nasbench_suite.errors",),
    (
        "nasbench_suite.files",
        "nasbench_suite.statistics",
        "nasbench_suite.import_faults",
        "nasbench_suite.sources",
        "nasbench_suite.seeding",
        "nasbench_suite.parsing",
        "nasbench_suite.deprecated",
        "nasbench_suite.lookalikes",
        "nasbench_suite.adding",
        "nasbench_suite.patience",
        "nasbench_suite.spreading",
    ),
    ("nasbench_suite.registry",),
    ("nasbench_suite.spaces",),
    ("nasbench_suite.networks", "nasbench_suite.datasets"),
    ("nasbench_suite.benchmarks", "nasbench_suite.proxies", "nasbench_suite.predictors"),
    ("nasbench_suite.events", "nasbench_suite.prediction"),
    ("nasbench_suite.tasks",),
    ("nasbench_suite.rows",),
    ("nasbench_suite.store",),
    ("nasbench_suite.runner",),
    ("nasbench_suite.analysis",),
    (
        "nasbench_suite.gate",
        "nasbench_suite.submissions",
        "nasbench_suite.experiments",
        "nasbench_suite.search",
        "nasbench_suite.loggers",
        "nasbench_suite.suites",
    ),
    ("nasbench_suite.testing", "nasbench_suite.pytest_plugin", "nasbench_suite.commands"),
    (
        "nasbench_suite",
        "nasbench_suite.__main__",
        "nasbench_suite.metrics",
        "nasbench_suite.regression",
    ),
    ("hardware",),
    ("search_methods",),
    ("reports.credits", "reports.suites"),
    ("reports.labels",),
    ("reports.figures", "reports.tables"),
    ("reports.html",),
    ("reports.site",),
    ("reports.commands",),
    ("reports",),
)
LEVELS = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}

# Rooms that import less than their place would let them.
ONLY = {
    # Functions of arrays: they know of no results file, no task, no space.
    "nasbench_suite.statistics": {"nasbench_suite.errors"},
    "nasbench_suite.files": {"nasbench_suite.errors"},
    # Arrays and nothing else, so that whatever makes, keeps or reads them may import them.
    "nasbench_suite.events": set(),
}

# Against the order, each with the reason why it stands all the same.
EXCEPTIONS: dict[tuple[str, str], str] = {}


def modules() -> dict[str, Path]:
    """All modules of the four packages by name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imports(name: str, source: str, known: Mapping[str, object] = MODULES) -> Iterator[str]:
    """The modules of ours that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name} imports relatively: write the whole name"
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            targets = [target if target in known else str(node.module) for target in whole]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_module":
            targets = [str(part.value) for part in node.args if isinstance(part, ast.Constant)]
        else:
            continue
        yield from (target for target in targets if target.partition(".")[0] in PACKAGES)


def room(module: str) -> str:
    """The room of a module: the first two parts of its name where there are rooms."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] in ("nasbench_suite", "reports") else parts[0]


def allowed(importer: str, imported: str) -> bool:
    """Whether a module may import another."""
    one, other = room(importer), room(imported)
    if one == other:
        return True
    if one in ONLY:
        return other in ONLY[one]
    return LEVELS[other] < LEVELS[one]


EDGES = {name: set(imports(name, path.read_text())) - {name} for name, path in MODULES.items()}


def test_every_room_has_its_layer() -> None:
    homeless = sorted({room(module) for module in MODULES} - LEVELS.keys())
    assert not homeless, f"say in LAYERS where {homeless} belong"


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_down(package: str) -> None:
    wrong = {
        (importer, imported)
        for importer, found in EDGES.items()
        for imported in found
        if importer.partition(".")[0] == package and not allowed(importer, imported)
    }
    excused = {
        (importer, imported)
        for importer, imported in wrong
        if any((importer, part) in EXCEPTIONS for part in (imported, room(imported)))
    }
    assert not wrong - excused


def test_every_exception_is_needed() -> None:
    used = {
        (importer, part)
        for importer, found in EDGES.items()
        for imported in found
        for part in (imported, room(imported))
        if not allowed(importer, imported)
    }
    assert not EXCEPTIONS.keys() - used


def test_the_suite_imports_none_of_the_packages_around_it() -> None:
    """They are found by entry point, like anybody's."""
    for name, found in EDGES.items():
        if name.partition(".")[0] == "nasbench_suite":
            assert all(module.partition(".")[0] == "nasbench_suite" for module in found), name


def circles(edges: Mapping[str, set[str]]) -> set[frozenset[str]]:
    """The modules that reach each other by imports, a set for each circle or knot of circles."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        todo = [start]
        while todo:
            new = edges.get(todo.pop(), set()) - seen
            seen |= new
            todo.extend(new)
        return seen

    reach = {name: reached(name) for name in edges}
    return {
        frozenset(other for other in reach[name] if name in reach.get(other, ()))
        for name in edges
        if name in reach[name]
    }


def test_no_circles_between_modules() -> None:
    assert not circles(EDGES)


def test_the_picture_in_the_documentation_is_this_order() -> None:
    """docs/architecture.md lists the rooms from the bottom up, as LAYERS does."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    named = [
        re.findall(r"`([\w.]+)`", line.split("|")[2])
        for line in text.splitlines()
        if re.match(r"\| \d+ \|", line)
    ]
    assert named == [list(rooms) for rooms in LAYERS]


def test_the_reader_of_imports_sees_all_kinds() -> None:
    source = (
        "import reports.html\n"
        "from nasbench_suite import runner, run\n"
        "def late():\n    from hardware.tables import read\n    import_module('search_methods.x')\n"
        "if TYPE_CHECKING:\n    from nasbench_suite.store import TaskRow\n"
    )
    assert set(imports("any", source)) == {
        "reports.html",
        "nasbench_suite.runner",
        "nasbench_suite",
        "hardware.tables",
        "search_methods.x",
        "nasbench_suite.store",
    }
    assert not allowed("nasbench_suite.store.results", "nasbench_suite.runner.trial")
    assert not allowed("nasbench_suite.statistics.pareto", "nasbench_suite.spaces")
    assert allowed("nasbench_suite.runner.runs", "nasbench_suite.store")
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == {frozenset("abc")}
