"""Regression tests of a method in three lines of a user's own test suite.

::

    @pytest.mark.nasbench(methods="climber", seeds="0-49", evaluations=100)
    def test_the_climber_is_no_worse(nasbench_check):
        nasbench_check("climber.json")

``pytest --nasbench-save`` writes the baselines instead of checking them. The marker takes the
arguments of ``nasbench_suite.run``. Loaded whenever pytest starts, so nothing heavy is imported
before a test asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from nasbench_suite.gate import Check

_MARKER = (
    "nasbench(methods, benchmark='digits', seeds='0-4', ...): what the fixture nasbench_check "
    "runs; takes the arguments of nasbench_suite.run."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--nasbench-save``."""
    group = parser.getgroup("nasbench", "regression tests of search methods")
    group.addoption(
        "--nasbench-save",
        action="store_true",
        help="write the baselines of nasbench_check instead of checking them",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _MARKER)


class NasbenchCheck:
    """Runs what the marker says, and compares it with a baseline.

    Attributes:
        settings: the marker's arguments.
        store: the results file of this test.
    """

    def __init__(self, settings: Mapping[str, Any], folder: Path, store: Path, save: bool) -> None:
        self.settings = dict(settings)
        self.store = store
        self._folder = folder
        self._save = save

    def __call__(
        self,
        baseline: str | Path,
        *,
        margin: float | None = None,
        alpha: float = 0.05,
        power: float = 0.9,
    ) -> Check | None:
        """Run, and fail the test where a method has become worse or cannot be judged.

        Args:
            baseline: its file; a relative path starts at the folder of the test.
            margin: see ``nasbench_suite.gate.check``, also for the others.
            alpha: chance that a loss of the margin passes.
            power: chance that an unchanged method should pass.

        Returns:
            The findings; None if the baseline was written instead.
        """
        from nasbench_suite.errors import SuiteError
        from nasbench_suite.gate import check, make_baseline, save_baseline

        path = self._folder / baseline
        try:
            if not self._save and not path.exists():
                raise SuiteError(f"There is no baseline {path}: write it with --nasbench-save.")
            self.run()
            if self._save:
                save_baseline(make_baseline(self.store), path)
                return None
            found = check(self.store, path, margin=margin, alpha=alpha, power=power)
        except SuiteError as error:  # a sentence for the reader, not a traceback through the suite
            pytest.fail(str(error), pytrace=False)
        if not found.passed:
            pytest.fail(found.markdown(), pytrace=False)
        return found

    def run(self) -> Path:
        """Run the methods into ``store``, and give its path."""
        from nasbench_suite.parsing import parse_seeds
        from nasbench_suite.runner import run

        settings = dict(self.settings)
        if isinstance(settings.get("seeds"), str):
            settings["seeds"] = parse_seeds(settings["seeds"])
        run(store=self.store, **settings)
        return self.store

    def trial(self, seed: int = 0) -> None:
        """Run the first method once, in memory: what to hand to pytest-benchmark.

        ``benchmark(nasbench_check.trial)`` measures the speed of one whole search.
        """
        import copy

        from nasbench_suite.runner import Trial
        from nasbench_suite.runner.runs import make_methods, make_tasks

        if not hasattr(self, "_prepared"):
            settings = {
                name: value
                for name, value in self.settings.items()
                if name not in ("methods", "seeds", "jobs")
            }
            task = make_tasks(**settings)[0]
            self._prepared = task, make_methods(self.settings["methods"])[0][1]
        task, method = self._prepared
        Trial(task, copy.deepcopy(method), seed).advance()


@pytest.fixture
def nasbench_check(request: pytest.FixtureRequest, tmp_path: Path) -> NasbenchCheck:
    """Run methods and compare them with their baseline; see ``NasbenchCheck``."""
    marker = request.node.get_closest_marker("nasbench")
    if marker is None or marker.args or "methods" not in marker.kwargs:
        pytest.fail(
            "nasbench_check needs a marker that says what to run, such as "
            '@pytest.mark.nasbench(methods="random", seeds="0-49").',
            pytrace=False,
        )
    return NasbenchCheck(
        marker.kwargs,
        request.path.parent,
        tmp_path / "results.sqlite",
        request.config.getoption("--nasbench-save"),
    )
