"""Pages made while the documentation is built: a card of every method, and the references.

They say what the code says, so they cannot fall behind it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PYTHON = {
    "The main calls": [
        "nasbench_suite.benchmarks.library.load_benchmark",
        "nasbench_suite.spaces.load_space",
        "nasbench_suite.tasks.task.make_task",
        "nasbench_suite.runner.runs.run",
        "nasbench_suite.runner.runs.RunSummary",
        "nasbench_suite.analysis.leaderboard.leaderboard",
        "nasbench_suite.analysis.leaderboard.overall_leaderboard",
    ],
    "Benchmarks and spaces": [
        "nasbench_suite.benchmarks.table.Benchmark",
        "nasbench_suite.benchmarks.metric.Metric",
        "nasbench_suite.benchmarks.table.make_benchmark",
        "nasbench_suite.benchmarks.noise",
        "nasbench_suite.spaces.base",
        "nasbench_suite.spaces.finite",
        "nasbench_suite.spaces.pool.PoolSpace",
    ],
    "Methods": [
        "nasbench_suite.tasks.method.Method",
        "nasbench_suite.tasks.session.Session",
        "nasbench_suite.events",
    ],
    "Statistics": [
        "nasbench_suite.statistics.aggregates",
        "nasbench_suite.analysis.curves.anytime_curves",
        "nasbench_suite.analysis.comparison",
        "nasbench_suite.statistics.significance",
        "nasbench_suite.statistics.noninferiority",
        "nasbench_suite.statistics.pareto",
    ],
    "Regression testing": [
        "nasbench_suite.gate.checking",
        "nasbench_suite.gate.baseline",
        "nasbench_suite.pytest_plugin",
    ],
    "Shared leaderboards": [
        "nasbench_suite.submissions.files",
        "nasbench_suite.submissions.verifying",
        "nasbench_suite.submissions.merging",
    ],
    "Figures and reports": [
        "reports.figures.anytime.anytime_curves",
        "reports.figures.comparison",
        "reports.figures.gallery",
        "reports.figures.style",
        "reports.tables.paper",
        "reports.html.panels",
        "reports.html.report",
    ],
    "Results": [
        "nasbench_suite.store.results.ResultStore",
        "nasbench_suite.store.reading.StoredResults",
        "nasbench_suite.analysis.results.read_results",
    ],
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put pages that the navigation does not name under its guides."""
    named = str(config.nav)
    guides = next(entry["Guides"] for entry in config.nav or [] if "Guides" in entry)
    guides += [
        path.name
        for path in sorted(Path(config.docs_dir).glob("*.md"))
        if f"'{path.name}'" not in named
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    pages = {
        "reference/python.md": python_page(),
        "reference/commands.md": commands_page(),
        **dict(card_pages()),
    }
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


def python_page() -> str:
    """The public calls, from their docstrings."""
    lines = ["# Python reference", ""]
    for title, names in PYTHON.items():
        lines += [f"## {title}", ""]
        for name in names:
            lines += [f"::: {name}", ""]
    return "\n".join(lines)


def commands_page() -> str:
    """The help of every command."""
    from typer.main import get_command

    from nasbench_suite.commands.app import build_app

    os.environ["COLUMNS"] = "100"
    root = get_command(build_app())
    lines = ["# Command reference", "", "`nasbench COMMAND --help` prints the same.", ""]
    for words, text in helps(root, ["nasbench"]):
        lines += [f"## {' '.join(words)}", "", "```text", text.rstrip(), "```", ""]
    return "\n".join(lines)


def helps(command: Any, words: list[str]) -> Iterator[tuple[list[str], str]]:
    """Words and help of a command and of all below it."""
    context = command.make_context(words[-1], [], resilient_parsing=True)
    context.info_name = " ".join(words)
    context.max_content_width = 100
    yield words, command.get_help(context)
    if hasattr(command, "list_commands"):
        for name in sorted(command.list_commands(context)):
            yield from helps(command.get_command(context, name), [*words, name])


def card_pages() -> Iterator[tuple[str, str]]:
    """A card of each method, the list of them, and what several of them extend."""
    from nasbench_suite.registry import entries
    from nasbench_suite.tasks.methods import describe_methods, method_class

    ours = {
        described["name"]: described
        for described in describe_methods()
        if described["distribution"] == "nasbench-suite"
    }
    homes = {place(method_class(name)): f"{name}.md" for name in ours}
    shared = sorted({base for name in ours for base in bases(name)} - homes.keys())
    homes |= dict.fromkeys(shared, "shared.md")
    for name, described in ours.items():
        target = entries("methods")[name].value.replace(":", ".")
        yield f"cards/{name}.md", card(name, target, described["settings"], homes)
    rows = "\n".join(f"| [{name}]({name}.md) | {ours[name]['summary']} |" for name in ours)
    yield (
        "cards/index.md",
        "# Method cards\n\nPaper, equations, hyper-parameters and deviations of every method that "
        f"comes with the suite.\n\n| method | |\n|---|---|\n{rows}\n",
    )
    yield (
        "cards/shared.md",
        "# What several methods extend\n\n" + "".join(f"::: {base}\n\n" for base in shared),
    )


def card(name: str, target: str, settings: dict[str, Any], homes: dict[str, str]) -> str:
    """What the author of a method says of it, and how to run it."""
    lines = [f"# {name}", "", "```sh", f"nasbench run --methods {name}", "```", ""]
    lines += [f"::: {target}", ""]
    for base in bases(name):
        lines += [f"What is not said here is that of [{base}]({homes[base]}#{base}).", ""]
    if settings:
        lines += ["## Hyper-parameters", "", "| hyper-parameter | default |", "|---|---|"]
        lines += [f"| `{key}` | `{value!r}` |" for key, value in settings.items()]
        lines.append("")
    return "\n".join(lines)


def bases(name: str) -> list[str]:
    """The classes that a method extends, up to ``Method``."""
    from nasbench_suite.tasks import Method
    from nasbench_suite.tasks.methods import method_class

    return [
        place(kind)
        for kind in method_class(name).__mro__[1:]
        if kind is not Method and issubclass(kind, Method)
    ]


def place(kind: type) -> str:
    """Where a class is defined."""
    return f"{kind.__module__}.{kind.__qualname__}"
