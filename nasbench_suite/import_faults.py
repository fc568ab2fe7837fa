"""Why a part of the suite or of a plug-in cannot be imported, in words that say how to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, EntryPoint, distributions
from importlib.util import find_spec
from pathlib import Path
from traceback import walk_tb

from nasbench_suite.errors import reason

_OF_AN_EXTRA = re.compile(r"\s*([A-Za-z0-9._-]+)[^;]*;.*\bextra\s*==\s*['\"]([^'\"]+)['\"]")
_PACKAGES = ("nasbench_suite", "search_methods", "hardware", "reports")
_OWN = Path(__file__).resolve().parents[1]  # where the packages of this suite stand side by side


def why_not_imported(point: EntryPoint, error: BaseException) -> str:
    """The end of a sentence that begins with what could not be imported.

    Args:
        point: the entry point.
        error: what importing it raised.

    Returns:
        The extra that brings a missing package, or the path that stands in the way of a package,
        or else the error itself.
    """
    root = re.split("[.:]", point.value)[0]  # a value that is none has no module
    missing = (getattr(error, "name", None) or root).partition(".")[0]
    extra = _extra_with(missing, point.dist)
    if isinstance(error, ModuleNotFoundError) and point.dist and extra:
        return (
            f"needs the package {missing!r}, which is not installed: "
            f"pip install '{point.dist.name}[{extra}]'."
        )
    for package in dict.fromkeys((missing, root)):
        obstacle = _shadow(package, point.dist) or _rival(package, point.dist)
        if obstacle:
            return f"({point.value}) cannot be imported: {obstacle}."
    if isinstance(error, ModuleNotFoundError) and missing != root:
        return f"needs the package {missing!r}, which is not installed: pip install {missing}."
    said = repr(error) if isinstance(error, SystemExit) else reason(error).rstrip(".")
    return f"({point.value}) cannot be imported: {said}."


def broken_package(error: ImportError) -> str | None:
    """Which package of others' is missing, or refused to be imported; None for a fault of ours."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    raising = str(frames[-1].f_globals.get("__name__", "")) if frames else ""
    package = (error.name or raising).partition(".")[0]
    return package if package and package not in _PACKAGES else None


def _extra_with(package: str, distribution: Distribution | None) -> str | None:
    """The first extra of a distribution that requires a package; None if none does."""
    for requirement in (distribution.requires if distribution else None) or []:
        match = _OF_AN_EXTRA.match(requirement)
        if match and _normal(match[1]) == _normal(package):
            return match[2]
    return None


def _normal(name: str) -> str:
    """A name of a package or distribution as PyPI compares them."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _shadow(package: str, distribution: Distribution | None) -> str:
    """Which file is found instead of a package's own; empty if its own is."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return ""
    if spec is None:
        return ""
    if spec.origin is None:
        return _empty_folder(package, list(spec.submodule_search_locations or ()))
    found = Path(spec.origin).resolve()
    own = [path.resolve() for path in _places(package, distribution)]
    if not own or found in own:
        return ""
    return (
        f"the package {package!r} is shadowed by {found}: rename that, or take its folder off the "
        f"path of Python (PYTHONPATH)"
    )


def _empty_folder(package: str, folders: Sequence[str]) -> str:
    """Which folder is taken for a package that has no module of its own; empty for none."""
    if not folders:
        return ""
    return (
        f"the package {package!r} is taken to be the folder {folders[0]}, which has no "
        f"__init__.py: rename that folder, or work in another"
    )


def _places(package: str, distribution: Distribution | None) -> Iterator[Path]:
    """Where a package is, as far as the distribution's metadata and our own place tell."""
    files = {str(file) for file in (distribution.files if distribution else None) or []}
    for name in (f"{package}/__init__.py", f"{package}.py"):
        if distribution and name in files:
            yield Path(str(distribution.locate_file(name)))
        if (_OWN / name).is_file():
            yield _OWN / name


def _rival(package: str, distribution: Distribution | None) -> str:
    """Which other distribution has written over a package's file; empty if none has."""
    if distribution is None:
        return ""
    file = f"{package}/__init__.py"
    own = _normal(distribution.name)
    claims = {
        _normal(other.name): other.locate_file(file)
        for other in distributions()
        # Read as text: a path of each line would be made of a hundred thousand lines.
        if f"\n{file}," in f"\n{other.read_text('RECORD') or ''}"
    }
    rivals = sorted(claims.keys() - {own})
    if not rivals or (own not in claims and not (_OWN / file).is_file()):
        return ""
    return (
        f"the distribution {rivals[0]} has a package {package!r} too ({claims[rivals[0]]}): "
        f"uninstall {rivals[0]}, then install {distribution.name} again"
    )
