"""Print, as pip constraints, the lowest versions that pyproject.toml admits.

Of the dependencies of the package and of its extras. The tools that test it (the extra ``test``)
are left to pip, which takes the newest that go with these.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

TOOLS = "test"  # the extra whose versions are not promised to anybody


def lowest(requirements: Iterable[str]) -> dict[str, str]:
    """The lowest version that each requirement admits, by name; the highest of several.

    Raises:
        ValueError: a requirement has no lower bound, so that nothing can be tested.
    """
    found: dict[str, Version] = {}
    for text in requirements:
        requirement = Requirement(text)
        bounds = [
            Version(part.version) for part in requirement.specifier if part.operator in (">=", "==")
        ]
        if not bounds:
            raise ValueError(f"{text!r} has no lower bound: give one")
        found[requirement.name] = max([*bounds, found.get(requirement.name, bounds[0])])
    return {name: str(version) for name, version in sorted(found.items())}


def main() -> None:
    """Print the constraints."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    requirements = [
        *project["dependencies"],
        *(text for name, texts in extras.items() if name != TOOLS for text in texts),
    ]
    for name, version in lowest(requirements).items():
        print(f"{name}=={version}")


if __name__ == "__main__":
    main()
