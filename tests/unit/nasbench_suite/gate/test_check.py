"""The regression gate: verdicts, error rates, files, exit codes, and the pytest plugin."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Command
from scipy import stats

from nasbench_suite.analysis.results import read_results
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.benchmarks.table_file import write_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.gate import check, load_baseline, make_baseline, save_baseline
from nasbench_suite.gate.checking import Check, Finding
from nasbench_suite.runner import run
from nasbench_suite.statistics.noninferiority import (
    NonInferiority,
    coincidence,
    noninferiority,
    passing_power,
)
from nasbench_suite.tasks import Method, Session
from search_methods.regularized_evolution import RegularizedEvolution

NASBENCH = Path(sys.executable).with_name("nasbench")
SMALL = {"population_size": 10, "sample_size": 5}

pytest_plugins = ["pytester"]


@dataclass
class Frozen(RegularizedEvolution):
    """Evolution whose mutation is broken: a child is its parent."""

    def step(self, session: Session) -> None:
        if len(self.population) < self.population_size:
            super().step(session)
        else:
            drawn = session.rng.integers(self.population_size, size=self.sample_size).tolist()
            _, parent = max((self.population[position] for position in drawn), key=lambda m: m[0])
            self.population.append((session.evaluate(parent), parent))


@dataclass
class Reordered(RegularizedEvolution):
    """Evolution that draws one random number more: other results, equally good."""

    def start(self, session: Session) -> None:
        session.rng.random()
        super().start(session)


@dataclass
class Half(RegularizedEvolution):
    """Evolution of which every other trial fails."""

    def start(self, session: Session) -> None:
        if session.seed % 2:
            raise ArithmeticError("a slip")
        super().start(session)


@dataclass
class Failing(Method):
    def step(self, session: Session) -> None:
        raise RuntimeError("a slip")


def results(
    toy: Benchmark, path: Path, method: Method, seeds: range, name: str = "evolution"
) -> Path:
    run(toy, [(name, method)], seeds=seeds, store=path, evaluations=60)
    return path


@pytest.fixture(scope="module")
def baseline(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("baseline")
    store = results(toy, folder / "before.sqlite", Plain(**SMALL), range(60))
    save_baseline(make_baseline(store), folder / "baseline.json")
    return folder / "baseline.json"


@dataclass
class Plain(RegularizedEvolution):
    """Evolution as it is."""


# All are called by one label, as a method that was edited would be.
LABEL = "evolution[population_size=10,sample_size=5]"


# -- the test --------------------------------------------------------------------------------------


def test_the_test_is_welchs_shifted_by_the_margin() -> None:
    rng = np.random.default_rng(0)
    new, old = rng.normal(0.1, 1.0, size=25), rng.normal(0.0, 2.0, size=40)
    found = noninferiority(new, old, 0.7)
    peer = stats.ttest_ind(new + 0.7, old, equal_var=False, alternative="greater")
    assert found.p == pytest.approx(peer.pvalue)
    plain = stats.ttest_ind(new, old, equal_var=False, alternative="greater")
    assert found.low == pytest.approx(plain.confidence_interval(0.95).low)
    assert (found.low > -0.7) == (found.p < 0.05)


def test_no_end_is_beyond_what_figures_can_differ_by() -> None:
    found = noninferiority([90.0, 10.0], [95.0, 15.0], 1.0, width=95.0)
    assert (found.low, found.high) == (-95.0, 95.0)
    assert found.difference == pytest.approx(-5.0)
    one = noninferiority([90.0], [95.0], 1.0, width=95.0)
    assert (one.low, one.high, one.verdict) == (-95.0, 95.0, "undecided")
    with pytest.raises(SuiteError, match="figures differ by 95 at most: give a smaller loss"):
        noninferiority([90.0, 10.0], [95.0, 15.0], 95.0, width=95.0)


def test_a_check_ends_where_figures_do(toy: Benchmark, tmp_path: Path) -> None:
    """Two seeds, whose interval would go far beyond a hundred points."""
    store = results(toy, tmp_path / "r.sqlite", Plain(**SMALL), range(2))
    whole = make_baseline(store)
    (entry,) = whole.entries
    spread = {0: 0.0, 1: 100.0}
    other = whole.model_copy(update={"entries": [entry.model_copy(update={"figures": spread})]})
    (finding,) = check(store, other).findings
    assert finding.test is not None
    width = read_results(store).tasks[entry.task_key].width
    assert width <= 100
    assert (finding.test.low, finding.test.high) == (-width, width)


def test_stated_power_is_statsmodels_and_what_happens() -> None:
    peer = pytest.importorskip("statsmodels.stats.power").TTestIndPower()
    for now, before in ((10, 10), (12, 60), (3, 5)):
        expected = peer.power(0.8, now, 0.05, ratio=before / now, alternative="larger")
        assert passing_power(0.8, 1.0, now, before) == pytest.approx(expected, abs=1e-6)
    rng = np.random.default_rng(1)
    verdicts = [
        noninferiority(rng.normal(size=20), rng.normal(size=20), 0.8, power=0.5, rare=None).verdict
        for _ in range(2000)
    ]
    stated = passing_power(0.8, 1.0, 20, 20)
    assert np.mean(np.array(verdicts) == "no worse") == pytest.approx(stated, abs=0.03)


def test_a_loss_of_the_margin_passes_with_the_stated_chance() -> None:
    rng = np.random.default_rng(2)
    passed = [
        noninferiority(rng.normal(-0.8, size=20), rng.normal(size=20), 0.8, rare=None).verdict
        == "no worse"
        for _ in range(2000)
    ]
    assert np.mean(passed) == pytest.approx(0.05, abs=0.016)


def test_seeds_needed_give_the_wanted_power() -> None:
    found = noninferiority(np.arange(5.0), np.arange(5.0) + 0.1, 0.5, power=0.9)
    assert found.verdict == "undecided"
    spread = float(np.std(np.arange(5.0), ddof=1))
    assert passing_power(0.5, spread, found.seeds_needed, found.seeds_needed) >= 0.9
    assert passing_power(0.5, spread, found.seeds_needed - 1, found.seeds_needed - 1) < 0.9
    assert noninferiority(np.arange(5.0), np.arange(5.0), 99.0).seeds_needed == 59


def test_methods_without_spread_are_judged_by_their_difference() -> None:
    assert noninferiority([1.0, 1.0], [1.0, 1.0], 0.1, rare=None).verdict == "no worse"
    assert noninferiority([0.5, 0.5], [1.0, 1.0], 0.1).verdict == "worse"


def test_impossible_arguments_are_refused() -> None:
    for arguments, sentence in (
        ({"margin": 0.0}, "loss > 0"),
        ({"margin": 1.0, "alpha": 1.0}, "level"),
        ({"margin": 1.0, "power": 0.0}, "power"),
    ):
        with pytest.raises(SuiteError, match=sentence):
            noninferiority([1.0, 2.0], [1.0, 2.0], **arguments)
    with pytest.raises(SuiteError, match="a seed at least"):
        noninferiority([], [1.0, 2.0], 1.0)
    with pytest.raises(SuiteError, match="share of seeds"):
        noninferiority([1.0, 2.0], [1.0, 2.0], 1.0, rare=1.5)


def test_an_impossible_power_is_no_possible_one_of_each_comparison(tmp_path: Path) -> None:
    """Of four comparisons each would have had a power of 0.5."""
    with pytest.raises(SuiteError, match="A power of -1 is impossible"):
        check(tmp_path / "none.sqlite", tmp_path / "none.json", power=-1.0)


def test_one_seed_is_undecided_whatever_it_gives() -> None:
    rng = np.random.default_rng(3)
    old = rng.normal(size=60)
    assert noninferiority([old[0]], old, 1.0).verdict == "undecided"
    assert noninferiority([1.0], [1.0], 1.0, unchanged=True).verdict == "undecided"
    # With two figures that recur in half of the pairs, agreeing once or twice says nothing.
    coins = np.tile([0.0, 1.0], 30)
    for seeds, verdict in ((1, "undecided"), (5, "unchanged")):
        found = noninferiority(coins[:seeds], coins, 0.5, unchanged=True, rare=0.05)
        assert found.verdict == verdict
    # A baseline that always finds the same cannot tell by equality.
    assert coincidence(np.ones(9)) == 1.0
    assert coincidence(np.arange(9.0)) == pytest.approx(1 / 37)


@pytest.mark.parametrize("seeds", [10, 59])
def test_rare_collapses_do_not_pass_more_often_than_stated(seeds: int) -> None:
    """A twentieth of the seeds loses 88 points, 4.4 in the mean; the margin is 0.7."""
    rng = np.random.default_rng(4)
    passed = 0
    for _ in range(400):
        old = rng.normal(94, 0.3, size=seeds)
        new = np.where(rng.random(seeds) < 0.05, 6.0, rng.normal(94, 0.3, size=seeds))
        passed += noninferiority(new, old, 0.7).verdict == "no worse"
    assert passed <= 0.05 * 400 + 2 * (400 * 0.05 * 0.95) ** 0.5
    blind = noninferiority(rng.normal(94, 0.3, size=10), rng.normal(94, 0.3, size=10), 0.7)
    assert (blind.verdict, blind.seeds_needed) == ("undecided", 59)


@pytest.mark.slow
def test_twenty_unchanged_methods_rarely_fail() -> None:
    rng = np.random.default_rng(5)
    each = 1.0 - (1.0 - 0.9) / 20
    failed = 0
    for _ in range(200):
        failed += any(
            noninferiority(
                rng.normal(size=10), rng.normal(size=10), 0.3, power=each, rare=None
            ).verdict
            == "worse"
            for _ in range(20)
        )
    assert failed <= 0.1 * 200 + 2 * (200 * 0.1 * 0.9) ** 0.5


def test_a_margin_of_zero_is_refused_and_not_taken_for_none(
    toy: Benchmark, baseline: Path, tmp_path: Path
) -> None:
    store = results(toy, tmp_path / "now.sqlite", Reordered(**SMALL), range(3))
    with pytest.raises(SuiteError, match="loss > 0"):
        check(store, baseline, margin=0.0)


# -- the gate --------------------------------------------------------------------------------------


def test_an_unchanged_method_passes_with_few_seeds(
    toy: Benchmark, baseline: Path, tmp_path: Path
) -> None:
    store = results(toy, tmp_path / "now.sqlite", Plain(**SMALL), range(3))
    (finding,) = check(store, baseline).findings
    assert finding.verdict == "unchanged"


def test_equally_good_results_pass_and_a_planted_regression_does_not(
    toy: Benchmark, baseline: Path, tmp_path: Path
) -> None:
    good = results(toy, tmp_path / "good.sqlite", Reordered(**SMALL), range(60))
    (finding,) = check(good, baseline, margin=2.0).findings
    assert finding.verdict == "no worse"
    assert finding.test is not None
    assert finding.test.power > 0.9
    assert finding.test.difference != 0.0
    bad = results(toy, tmp_path / "bad.sqlite", Frozen(**SMALL), range(60))
    found = check(bad, baseline)
    assert [finding.verdict for finding in found.regressions] == ["worse"]
    assert not found.passed
    assert "**FAIL**" in found.markdown()
    assert "1 of 1 comparison did not pass" in found.markdown()
    assert ": worse, the mean differs by" in found.markdown()
    assert "not ruled out" not in found.markdown()


def test_what_is_not_ruled_out_is_not_called_worse(baseline: Path) -> None:
    """The mean may be as it was, and there are seeds enough to rule a loss out."""
    (entry,) = load_baseline(baseline).entries
    test = NonInferiority(-0.1, -0.3, 0.1, 0.2, 0.2, 0.05, 0.95, 0.9, 60, "worse")
    found = Check((Finding(entry, entry.figures, 0, test),), ())
    assert found.regressions
    assert "one of 0.2 is not ruled out (p = 0.200)" in found.markdown()
    assert "worse" not in found.markdown()


def test_too_few_seeds_are_undecided(toy: Benchmark, baseline: Path, tmp_path: Path) -> None:
    store = results(toy, tmp_path / "now.sqlite", Reordered(**SMALL), range(100, 108))
    found = check(store, baseline, margin=0.01, rare=None)
    assert [finding.verdict for finding in found.undecided] == ["undecided"]
    assert "Run and save" in found.markdown()


@dataclass
class Talks(Method):
    """Random search that logs a variance; hyper-parameters are hidden, as in an edited method."""

    def __init__(self, variance: float = 1.0, spread: float = 0.05) -> None:
        self.variance, self.spread = variance, spread

    def step(self, session: Session) -> None:
        session.evaluate(session.space.sample(session.rng))
        noise = self.spread * session.rng.standard_normal(2)
        session.log(session.trainings, variance=self.variance + noise)


def test_a_diagnostic_is_to_stay_within_the_margin_up_and_down(
    toy: Benchmark, tmp_path: Path
) -> None:
    before = results(toy, tmp_path / "before.sqlite", Talks(1.0), range(12), "talks")
    baseline = make_baseline(before, diagnostic="variance")
    (entry,) = baseline.entries
    assert (entry.metric, entry.direction, entry.diagnostic) == ("variance", "either", "variance")
    assert len(entry.figures) == 12
    assert all(abs(figure - 1.0) < 0.2 for figure in entry.figures.values())
    with pytest.raises(SuiteError, match="--margin"):
        check(before, baseline)
    (found,) = check(before, baseline, margin=0.2).findings
    assert found.verdict == "unchanged"
    for number, (variance, verdict) in enumerate(
        [(1.0, "no worse"), (1.5, "worse"), (0.5, "worse")]
    ):
        now = results(toy, tmp_path / f"{number}.sqlite", Talks(variance), range(50, 62), "talks")
        (found,) = check(now, baseline, margin=0.2, rare=None).findings
        assert found.verdict == verdict
    with pytest.raises(SuiteError, match=r"diagnostic 'entropy' of .*: choose from variance"):
        make_baseline(before, diagnostic="entropy")
    silent = results(toy, tmp_path / "silent.sqlite", Plain(**SMALL), range(3))
    with pytest.raises(SuiteError, match="diagnostic"):
        check(silent, baseline, margin=0.2)


def test_a_failing_method_is_a_regression(toy: Benchmark, tmp_path: Path) -> None:
    before = results(toy, tmp_path / "a.sqlite", RegularizedEvolution(), range(2), "m")
    after = results(toy, tmp_path / "b.sqlite", Failing(), range(2), "m")
    found = check(after, make_baseline(before))
    assert found.findings[0].verdict == "worse"
    assert "2 trials failed" in found.markdown()


def test_a_method_with_a_failed_trial_has_no_baseline(
    nasbench: Command, toy: Benchmark, tmp_path: Path
) -> None:
    """No check of it would pass, not even of the same file; what is left out hinders nothing."""
    store, baseline = tmp_path / "r.sqlite", tmp_path / "b.json"
    run(toy, [("half", Half(**SMALL)), "random"], seeds=range(4), store=store, evaluations=30)
    words = ("check", "--store", store, "--baseline", baseline)
    ended = nasbench(*words, "--save")
    assert ended.code == 2
    assert "2 of 4 trials of half[" in ended.err
    assert ended.err.count(". ") == 0
    assert not baseline.exists()
    assert nasbench(*words, "--save", "--methods", "random").code == 0
    assert nasbench(*words).code == 0


def test_the_power_is_that_of_all_comparisons(toy: Benchmark, tmp_path: Path) -> None:
    store = tmp_path / "r.sqlite"
    run(toy, "random,local-search", seeds=range(5), store=store, evaluations=30)
    found = check(store, make_baseline(store), power=0.9)
    assert [f.test.wanted_power for f in found.findings if f.test] == [pytest.approx(0.95)] * 2


def test_what_does_not_match_is_named(toy: Benchmark, baseline: Path, tmp_path: Path) -> None:
    store = tmp_path / "r.sqlite"
    run(toy, "random", seeds=range(2), store=store, evaluations=60)
    with pytest.raises(SuiteError, match="no trial of 'evolution"):
        check(store, baseline)
    other = tmp_path / "other.sqlite"
    run(toy, "random", seeds=range(2), store=other, evaluations=61)
    with pytest.raises(SuiteError, match="does not have the task"):
        check(other, baseline)
    with pytest.raises(SuiteError, match="method 'random' of the baseline"):
        check(store, baseline, methods=["random"])
    twice = results(toy, tmp_path / "twice.sqlite", Plain(**SMALL), range(2))
    results(toy, twice, Frozen(**SMALL), range(2))
    with pytest.raises(SuiteError, match="two different methods"):
        check(twice, baseline)


def test_a_task_without_noise_floor_asks_for_a_margin(
    toy: Benchmark, baseline: Path, tmp_path: Path
) -> None:
    made = load_baseline(baseline)
    made.entries[0].noise_floor = None
    store = results(toy, tmp_path / "now.sqlite", Plain(**SMALL), range(3))
    with sqlite3.connect(store) as connection:  # the task decides, not the baseline
        connection.execute("UPDATE tasks SET noise_floor = NULL, seal = NULL")
    with pytest.raises(SuiteError, match="--margin"):
        check(store, made)
    assert check(store, made, margin=1.0).passed


# -- files -----------------------------------------------------------------------------------------


def test_a_baseline_is_read_as_it_was_written(baseline: Path, tmp_path: Path) -> None:
    made = load_baseline(baseline)
    assert made.entries[0].method == LABEL
    assert len(made.entries[0].figures) == 60
    save_baseline(made, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == baseline.read_bytes()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "damaged"),
        ("[]", "no baseline"),
        ("{}", "no baseline"),
        ('{"nasbench_baseline": 9, "entries": []}', "format"),
        ('{"nasbench_baseline": 1, "entries": [{}]}', "damaged"),
        ('{"nasbench_baseline": 1}', "damaged"),
    ],
)
def test_damaged_baselines_are_refused(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "b.json"
    path.write_text(content)
    with pytest.raises(SuiteError, match=sentence):
        load_baseline(path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"task": "x\n\n## all passed"}, "entries.0.task is no printable text"),
        ({"unit": "\x1b[2J%"}, "entries.0.unit is no printable text"),
        ({"method": "y" * 5000}, "entries.0.method is no printable text"),
        ({"figures": {0: 1e308, 1: -1e308}}, "is beyond 1e[+]100"),
        ({"figures": {2**70: 97.0}}, "a seed of .* is beyond"),
        ({"diagnostic": "entropy"}, "has a unit, direction or noise floor"),
        ({"diagnostic": "entropy", "unit": "", "direction": "either"}, "or noise floor"),
        ({"unit": "|"}, "says unit '|', and the task has '%'"),
        ({"metric": "other"}, "says metric 'other'"),
    ],
)
def test_a_baseline_that_says_what_none_of_ours_does_is_refused(
    baseline: Path, toy: Benchmark, tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    """With the checksum of what it says, as anybody can write it."""
    store = results(toy, tmp_path / "r.sqlite", Plain(**SMALL), range(2))
    content = load_baseline(baseline)
    entry = content.entries[0].model_copy(update=change)
    save_baseline(content.model_copy(update={"entries": [entry]}), tmp_path / "b.json")
    with pytest.raises(SuiteError, match=sentence):
        check(store, tmp_path / "b.json")


def test_non_finite_figures_are_refused(baseline: Path, tmp_path: Path) -> None:
    content = json.loads(baseline.read_text())
    content["entries"][0]["figures"]["0"] = float("nan")
    (tmp_path / "b.json").write_text(json.dumps(content))
    with pytest.raises(SuiteError, match="damaged"):
        load_baseline(tmp_path / "b.json")


# -- the command -----------------------------------------------------------------------------------


def nasbench(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([NASBENCH, *arguments], capture_output=True, text=True, cwd=cwd)


def test_exit_codes(toy: Benchmark, tmp_path: Path) -> None:
    run(toy, "random", seeds=range(20), store=tmp_path / "a.sqlite", evaluations=40)
    saved = nasbench("check", "--save", "--baseline", "b.json", "--store", "a.sqlite", cwd=tmp_path)
    assert (saved.returncode, saved.stderr) == (0, "")
    call = ["check", "--baseline", "b.json", "--store"]
    assert nasbench(*call, "a.sqlite", "--summary", "s.md", cwd=tmp_path).returncode == 0
    assert "No worse than the baseline" in (tmp_path / "s.md").read_text()
    absent = nasbench(*call, "none.sqlite", cwd=tmp_path)
    assert absent.returncode == 2
    assert absent.stderr.startswith("nasbench: There is no results file")
    run(toy, [("random", Worst())], seeds=range(20), store=tmp_path / "c.sqlite", evaluations=40)
    broken = nasbench(*call, "c.sqlite", cwd=tmp_path)
    assert (broken.returncode, broken.stderr) == (1, "")
    assert "**FAIL**" in broken.stdout
    wide = [*call, "c.sqlite", "--margin", "90", "--power", "0.99"]
    assert nasbench(*wide, "--rare", "0", cwd=tmp_path).returncode == 0
    few = nasbench(*wide, cwd=tmp_path)
    assert few.returncode == 2
    assert "Run and save 59 seeds, or choose a larger --rare." in few.stderr


@dataclass
class Worst(Method):
    """Evaluates one bad architecture alone."""

    def step(self, session: Session) -> None:
        session.evaluate(0)


# -- the plugin ------------------------------------------------------------------------------------

SUITE = """
import pytest

@pytest.mark.nasbench(
    benchmark={table!r}, methods="{method}", seeds="0-19", evaluations={evaluations}
)
def test_no_worse(nasbench_check):
    nasbench_check("baseline.json", margin=2.0)
"""


def test_three_lines_of_a_users_suite(toy: Benchmark, pytester: pytest.Pytester) -> None:
    table = pytester.path / "toy.parquet"
    write_benchmark(toy, table)
    suite = {"table": str(table), "method": "random", "evaluations": 40}
    pytester.makepyfile(SUITE.format(**suite))
    missing = pytester.runpytest_inprocess("--strict-markers")
    missing.stdout.fnmatch_lines(["There is no baseline *: write it with --nasbench-save."])
    assert "pytest_plugin.py" not in str(missing.stdout)  # a sentence, and no traceback
    assert missing.ret == 1
    pytester.runpytest_inprocess("--nasbench-save").assert_outcomes(passed=1)
    assert (pytester.path / "baseline.json").exists()
    pytester.runpytest_inprocess("--strict-markers").assert_outcomes(passed=1)
    # The same label, but broken: what the baseline holds was reached with luck.
    lucky = load_baseline(pytester.path / "baseline.json")
    figures = lucky.entries[0].figures
    lucky.entries[0].figures = {seed: figure + 9 for seed, figure in figures.items()}
    save_baseline(lucky, pytester.path / "baseline.json")
    worse = pytester.runpytest_inprocess()
    worse.assert_outcomes(failed=1)
    worse.stdout.fnmatch_lines(["*FAIL*random*toy*"])


def test_the_fixture_needs_its_marker(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(nasbench_check):\n    nasbench_check('b.json')\n")
    answer = pytester.runpytest_inprocess()
    answer.assert_outcomes(errors=1)
    answer.stdout.fnmatch_lines(["*needs a marker*"])


def test_speed_by_pytest_benchmark(toy: Benchmark, pytester: pytest.Pytester) -> None:
    table = pytester.path / "toy.parquet"
    write_benchmark(toy, table)
    pytester.makepyfile(
        f"""
import pytest

@pytest.mark.nasbench(benchmark={str(table)!r}, methods="random", evaluations=20)
def test_speed(nasbench_check, benchmark):
    benchmark(nasbench_check.trial)
"""
    )
    pytester.runpytest_inprocess("--benchmark-disable").assert_outcomes(passed=1)


def test_the_plugin_loads_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules); import nasbench_suite.pytest_plugin; "
        "heavy = {'numpy', 'pandas', 'scipy', 'pyarrow', 'pydantic', 'typer', 'torch'}; "
        "print(sorted(heavy & (set(sys.modules) - before)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout == "[]\n"
