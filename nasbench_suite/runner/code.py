"""Which code ran: a method's source, the distribution it came with, and its git revision.

A method's key is its name, class and hyper-parameters, and says nothing of what the class does. So
every trial is kept with a hash of the source, and trials of other code are told apart.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nasbench_suite import registry, sources
from nasbench_suite.rows import CodeRow
from nasbench_suite.runner.revision import git_revision
from nasbench_suite.tasks import Method
from nasbench_suite.tasks.task import config_hash

_LEFT_OUT = sys.stdlib_module_names | {"nasbench_suite", "__main__"}


def describe_code(name: str, method: Method) -> CodeRow:
    """The code of a method as it is now.

    Its source is that of its class and those it inherits, of the modules they are in, and of what
    these import of their own package, all but comments at the start of a line and empty lines. The
    suite itself is left out: its version stands with the environment.
    """
    files = sorted(_files(type(method)))
    known = registry.entries("methods")
    distribution = known[name].distribution if name in known else None
    try:
        installed = version(distribution) if distribution else None
    except PackageNotFoundError:
        installed = None
    fields = {
        "source": _hash_of(type(method), files),
        "distribution": distribution,
        "version": installed,
        "git_revision": git_revision(files[0].parent) if files else None,
    }
    return CodeRow(key=config_hash(fields), **fields)


def _hash_of(kind: type, files: list[Path]) -> str | None:
    texts = [path.read_text(errors="replace") for path in files]
    if not texts:
        try:
            texts = [inspect.getsource(kind)]  # a class of a notebook or a script
        except (OSError, TypeError):
            return None
    digest = hashlib.sha256()
    for text in texts:
        for line in text.splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                digest.update(line.rstrip().encode(errors="replace") + b"\n")
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def _files(kind: type) -> set[Path]:
    """The files of the modules that a class is made of."""
    modules = [base.__module__ for base in kind.__mro__]
    others = [one for one in modules if sources.root(one) not in _LEFT_OUT]
    return set(sources.files_of(others, everywhere=True))
