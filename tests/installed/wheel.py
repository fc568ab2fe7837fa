"""Is everything in the wheel that is tracked? ``python tests/installed/wheel.py WHEEL``.

Every file under the four packages that git knows, Python or not, must be in the wheel: what an
installation leaves behind is not seen by tests that run in the checkout. Nothing else may be in it.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def packages() -> list[str]:
    """The top-level packages that pyproject.toml names."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    return [pattern.rstrip("*") for pattern in settings["packages"]["find"]["include"]]


def tracked() -> set[str]:
    """The files under the packages that git knows."""
    answer = subprocess.run(
        ["git", "ls-files", "--", *packages()], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(answer.stdout.splitlines())


def differences(wheel: Path) -> tuple[set[str], set[str]]:
    """What is tracked and not in the wheel, and what is in the wheel and not tracked."""
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = tracked()
    return wanted - inside, inside - wanted


def main() -> int:
    """Name what differs; 1 if anything does."""
    wheel = Path(sys.argv[1])
    missing, surplus = differences(wheel)
    for name in sorted(missing):
        print(f"missing in the wheel: {name}")
    for name in sorted(surplus):
        print(f"in the wheel, but not tracked: {name}")
    print(f"{wheel.name}: {len(tracked())} files tracked, {len(missing)} missing")
    return 1 if missing or surplus else 0


if __name__ == "__main__":
    sys.exit(main())
