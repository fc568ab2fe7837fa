"""Where trials ran: package versions, git revision, platform."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from nasbench_suite import registry
from nasbench_suite.rows import EnvironmentRow
from nasbench_suite.runner.revision import git_revision
from nasbench_suite.tasks.task import config_hash

_DISTRIBUTION = "nasbench-suite"


def describe_environment(methods: Iterable[str]) -> EnvironmentRow:
    """The versions that may matter to a result.

    Versions are those of this suite, of what it requires (where installed), and of the
    distributions that provide ``methods``. The git revision is that of the working directory.
    """
    names = {_DISTRIBUTION}
    for requirement in requires(_DISTRIBUTION) or []:
        match = re.match(r"[A-Za-z0-9._-]+", requirement)
        if match and "extra == 'test'" not in requirement.replace('"', "'"):
            names.add(match[0])
    known = registry.entries("methods")
    for method in methods:
        if method in known:
            names.add(known[method].distribution)
    packages = {}
    for name in sorted(names):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    revision = git_revision(Path.cwd())
    where = f"{platform.platform()}, Python {platform.python_version()}"
    made = EnvironmentRow(key="", git_revision=revision, packages=packages, platform=where)
    return with_own_key(made)


def with_own_key(environment: EnvironmentRow) -> EnvironmentRow:
    """The same, with the key that follows from what it says."""
    return environment.model_copy(
        update={"key": config_hash(environment.model_dump(exclude={"key"}))}
    )
