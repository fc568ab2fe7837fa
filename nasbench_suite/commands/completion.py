"""What a shell is offered where a name is to be written; no part is imported for it."""

from __future__ import annotations

from collections.abc import Callable


def complete(kind: str) -> Callable[[str], list[str]]:
    """The names of a kind of parts that begin as what is written; after a comma, the next one."""

    def names(incomplete: str) -> list[str]:
        from nasbench_suite import registry

        before, comma, begun = incomplete.rpartition(",")
        return [before + comma + name for name in registry.entries(kind) if name.startswith(begun)]

    return names


def complete_benchmarks(incomplete: str) -> list[str]:
    """The names of benchmarks at hand: those that come with packages, and imported ones."""
    from nasbench_suite import registry
    from nasbench_suite.benchmarks.library import benchmark_home

    imported = [path.stem for path in sorted(benchmark_home().glob("*.parquet"))]
    known = [*registry.entries("benchmarks"), *imported]
    return [name for name in known if name.startswith(incomplete)]


def complete_tasks(incomplete: str) -> list[str]:
    """The data sets and names of tasks in results.sqlite, where there is one."""
    from pathlib import Path

    if not Path("results.sqlite").is_file():
        return []
    from nasbench_suite.analysis.results import read_results

    tasks = read_results("results.sqlite")
    known = [*tasks.names.values(), *{str(task.dataset) for task in tasks.tasks.values()}]
    return [name for name in known if name.startswith(incomplete)]
