"""The git revision of a folder, found without running anything that the folder asks for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

# What a repository's own configuration could have run while files are compared.
_HARMLESS = ("core.fsmonitor=", "core.hooksPath=/dev/null", "diff.external=", "core.pager=cat")
_SECONDS = 10.0


def git_revision(folder: Path) -> str | None:
    """The commit of a folder, with ``-dirty`` if files of it differ; None outside a repository."""
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return None
    # A filter, which any file may ask for, is a command of the configuration.
    named = _git(folder, "config", "--name-only", "--get-regexp", r"^filter\..*") or ""
    keys = set(named.split("\n")) - {""}
    if any("=" in key for key in keys):
        return commit
    filters = [f"{key}={'false' if key.endswith('.required') else ''}" for key in sorted(keys)]
    compare = ("diff", "--quiet", "--no-ext-diff", "--no-textconv", "--ignore-submodules", "HEAD")
    same = _git(folder, *compare, settings=filters) is not None
    return commit if same else f"{commit}-dirty"


def _git(folder: Path, *arguments: str, settings: list[str] | None = None) -> str | None:
    """What git answers, or None if it fails."""
    harmless = [part for one in (*_HARMLESS, *(settings or ())) for part in ("-c", one)]
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *harmless, *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=True,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
