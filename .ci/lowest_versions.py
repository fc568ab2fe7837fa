"""Print, as pip constraints, the lowest versions that pyproject.toml admits.

Of the dependencies of the package and of its extras; the tools that test it (the extra ``test``)
are left to pip, which takes the newest that go with these. With ``--extras``: print instead the
names of those extras. With ``--installed``: see that these versions are what is installed in this
environment, but for torch.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import version
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
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue  # of another platform
        bounds = [
            Version(part.version) for part in requirement.specifier if part.operator in (">=", "==")
        ]
        if not bounds:
            raise ValueError(f"{text!r} has no lower bound: give one")
        found[requirement.name] = max([*bounds, found.get(requirement.name, bounds[0])])
    return {name: str(version) for name, version in sorted(found.items())}


def main() -> int:
    """Print the constraints, or what is installed otherwise; 1 if anything is."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    promised = {name: texts for name, texts in extras.items() if name != TOOLS}
    if sys.argv[1:] == ["--extras"]:
        print(",".join(promised))
        return 0
    bounds = lowest(
        [*project["dependencies"], *(text for texts in promised.values() for text in texts)]
    )
    if sys.argv[1:] != ["--installed"]:
        print("\n".join(f"{name}=={bound}" for name, bound in bounds.items()))
        return 0
    others = [
        f"{name} is {version(name)}, not {bound}"
        for name, bound in bounds.items()
        if name != "torch" and Version(version(name)) != Version(bound)
    ]
    print("\n".join(others) or f"{len(bounds)} dependencies, each at its lowest version")
    return 1 if others else 0


if __name__ == "__main__":
    sys.exit(main())
