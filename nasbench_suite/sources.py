"""What Python files say, read without running them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.util import find_spec, resolve_name
from pathlib import Path


def path_of(module: str) -> Path | None:
    """The file of a module, found without importing anything; None where there is none to read."""
    top, *parts = module.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None:
        return None
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    if parts:
        inner = [folder.joinpath(*parts) for folder in folders]
        files = [
            file for one in inner for file in (one / "__init__.py", one.with_name(f"{one.name}.py"))
        ]
    else:
        files = [Path(spec.origin)] if spec.origin and spec.origin.endswith(".py") else []
    return next((file for file in files if file.is_file()), None)


def parse(path: Path) -> ast.Module:
    """The statements of a file; none where they cannot be read."""
    try:
        return _parse(path.read_text("utf-8", errors="replace"))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return ast.Module([], [])


@lru_cache(maxsize=256)
def _parse(text: str) -> ast.Module:
    return ast.parse(text)


def imports(statements: Iterable[ast.AST], module: str, is_package: bool) -> Iterator[str]:
    """What the imports among statements of a module name: modules, and names in them."""
    package = module if is_package else module.rpartition(".")[0]
    for statement in statements:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            try:
                base = resolve_name("." * statement.level + (statement.module or ""), package)
            except ImportError:
                continue
            yield base
            yield from (f"{base}.{alias.name}" for alias in statement.names)


def files_of(modules: Iterable[str], *, everywhere: bool) -> dict[Path, set[str]]:
    """The files of modules and of what they import of their own packages, and all these import.

    Args:
        modules: by name.
        everywhere: follow imports within functions and conditions too, and not only those that
            are made whenever a file is imported.
    """
    waiting, seen = list(modules), set[str]()
    found: dict[Path, set[str]] = {}
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        path = path_of(name)
        if path is not None:
            tree = parse(path)
            statements = ast.walk(tree) if everywhere else tree.body
            found[path] = set(imports(statements, name, path.name == "__init__.py"))
            waiting += [one for one in found[path] if root(one) == root(name)]
    return found


def root(module: str) -> str:
    """The package at the top of a module."""
    return module.partition(".")[0]


def can_be_found(module: str) -> bool:
    """Whether a module is there with all packages that it, and its own package, import."""
    files = files_of([module], everywhere=False)
    needed = {root(one) for names in files.values() for one in names} - sys.stdlib_module_names
    return bool(files) and all(_is_there(package) for package in needed)


@lru_cache(maxsize=256)
def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def place_of(kind: type) -> str:
    """Where a class stands, as entry points have it: ``module:Class``."""
    return f"{kind.__module__}:{kind.__qualname__}"


def class_at(place: str) -> ast.ClassDef | None:
    """The class at ``module:Class``; None where its source says of none at its top."""
    module, _, name = place.partition(":")
    path = path_of(module)
    statements = parse(path).body if path else []
    return next((s for s in statements if isinstance(s, ast.ClassDef) and s.name == name), None)


def text_of(definition: ast.ClassDef, attribute: str) -> str | None:
    """The text that a class itself sets an attribute to; None where it sets it to none."""
    value = _value_of(definition, attribute)
    return value if isinstance(value, str) else None


def attribute_of(place: str, attribute: str) -> object:
    """What the class at ``module:Class``, or one it inherits, sets an attribute to, if a literal.

    Returns:
        None where none sets it, or what it is set to is no literal.
    """
    module, _, name = place.partition(":")
    definition, path = class_at(place), path_of(module)
    if definition is None or path is None:
        return None
    value = _value_of(definition, attribute)
    if value is not None:
        return value
    tree, is_package = parse(path), path.name == "__init__.py"
    imported = {one.rpartition(".")[2]: one for one in imports(tree.body, module, is_package)}
    for base in definition.bases:
        if isinstance(base, ast.Name) and base.id != name:
            above = imported.get(base.id, f"{module}.{base.id}")
            value = attribute_of(":".join(above.rsplit(".", 1)), attribute)
            if value is not None:
                return value
    return None


def _value_of(definition: ast.ClassDef, attribute: str) -> object:
    """The literal that a class itself sets an attribute to; None where it sets it to none."""
    for line in definition.body:
        targets = line.targets if isinstance(line, ast.Assign) else []
        targets = [line.target] if isinstance(line, ast.AnnAssign) else targets
        if any(isinstance(one, ast.Name) and one.id == attribute for one in targets):
            try:
                return ast.literal_eval(line.value)  # type: ignore[attr-defined]
            except ValueError:
                return None
    return None
