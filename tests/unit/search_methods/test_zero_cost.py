"""Searches that begin with zero-cost proxies: what they evaluate first, and what it costs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from nasbench_suite import registry
from nasbench_suite.analysis.leaderboard import leaderboard
from nasbench_suite.benchmarks import Benchmark, Metric
from nasbench_suite.errors import SuiteError
from nasbench_suite.proxies import assemble, score
from nasbench_suite.runner import RunSummary, Trial, run
from nasbench_suite.spaces import load_space
from nasbench_suite.tasks import Method, Session, Task, make_task
from nasbench_suite.tasks.methods import make_method
from nasbench_suite.testing import Computed
from search_methods import zero_cost_process
from search_methods.random_search import RandomSearch
from search_methods.zero_cost_process import normal_scores

TSS = load_space("nats-tss")
SPLITS = ("valid", "test")


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A table of two made proxies, of all but the first cells; one says its seconds."""
    path = tmp_path_factory.mktemp("scores") / "scores.parquet"
    rows = range(100, TSS.size)
    frame = pd.DataFrame({"arch_str": [TSS.string(index) for index in rows]})
    frame["up"] = np.arange(len(frame), dtype=float)
    frame["down"] = -frame["up"]
    frame["up_seconds"] = 0.5
    frame.to_parquet(path)
    return str(path)


def evaluated(benchmark: Benchmark, name: str, seconds: float | None = None, **settings: object):
    budget = {"simulated_seconds": seconds} if seconds else {"evaluations": 20}
    trial = Trial(make_task(benchmark, **budget), make_method(name, settings), 0)
    trial.advance()
    return trial.session.record()


def test_zero_cost_evaluates_the_best_first(toy: Benchmark, scores: str) -> None:
    record = evaluated(toy, "zero-cost", proxies="up", scores=scores, candidates=0)
    assert record.architectures.tolist() == list(range(TSS.size - 1, TSS.size - 21, -1))
    # 15,525 scores of half a second each come before the first training.
    times = toy.values("toy_train_time_9")
    assert record.seconds[0] == pytest.approx(15_525 * 0.5 + times[TSS.size - 1])


def test_candidates_are_drawn_and_computed_where_there_is_no_table(toy: Benchmark) -> None:
    record = evaluated(toy, "zero-cost", proxies="params", candidates=5)
    session = Session(make_task(toy, evaluations=20), 0)
    drawn = [TSS.sample(session.rng) for _ in range(5)]
    sizes = [score("params", TSS, one) for one in drawn]
    order = np.argsort(-np.array(sizes), kind="stable")
    assert record.architectures.tolist() == [drawn[place] for place in order]
    assert record.seconds[0] >= 5  # a second each, before the training


def test_a_budget_of_seconds_pays_for_scores(toy: Benchmark, scores: str) -> None:
    settings = {"proxies": "down", "scores": scores, "candidates": 100, "seconds_each": 2.0}
    with pytest.raises(SuiteError, match="scores of 100 candidates take 200 simulated seconds"):
        evaluated(toy, "zero-cost", seconds=150.0, **settings)
    some = evaluated(toy, "zero-cost", seconds=260.0, **settings)
    assert 200 < some.seconds[0] < some.seconds[-1] <= 260


@pytest.mark.parametrize(
    "method", ["random", "regularized-evolution", "local-search", "bananas", "parego", "tpe"]
)
def test_what_is_warm_begins_with_the_best(toy: Benchmark, scores: str, method: str) -> None:
    warm = {"method": method, "proxies": "up", "scores": scores, "candidates": 0}
    record = evaluated(toy, "warm-start", num_warm=10, **warm)
    first = 1 if method == "local-search" else 10
    best = set(range(TSS.size - 10, TSS.size))
    assert set(record.architectures[:first].tolist()) <= best
    cold = evaluated(toy, "warm-start", num_warm=0, **warm)
    assert cold.architectures.tolist() == evaluated(toy, method).architectures.tolist()


def refusal(task: Task, name: str, settings: dict[str, object]) -> str:
    """The sentence by which a method is refused before it runs; empty if it is not."""
    try:
        make_method(name, settings).refuse(task)
    except SuiteError as error:
        return str(error)
    return ""


OTHERWISE_REFUSED = ("warm-start", "transfer-start", "sms-emoa")


@pytest.mark.parametrize("method", sorted(registry.entries("methods")))
def test_every_method_begins_warm_or_is_refused_before_it_runs(
    toy: Benchmark, scores: str, method: str
) -> None:
    """A search that began cold would pass for a warm one on a leaderboard."""
    best = set(range(TSS.size - 5, TSS.size))
    given = {"proxies": "up", "scores": scores, "candidates": 0, "num_warm": 5}
    said = refusal(make_task(toy, evaluations=8), "warm-start", {"method": method, **given})
    if said:
        assert "does not draw its first" in said or method in OTHERWISE_REFUSED
        return
    record = evaluated(toy, "warm-start", method=method, **given)
    first = record.architectures[:1] if "local" in method else record.architectures[:5]
    assert set(first.tolist()) <= best


@dataclass
class RanksAPool(RandomSearch):
    """Of ten that it draws it evaluates the last."""

    def step(self, session: Session) -> None:
        session.evaluate([session.space.sample(session.rng) for _ in range(10)][-1])


@dataclass
class Spends(RanksAPool):
    """It does all in one step, which ends with the budget."""

    def step(self, session: Session) -> None:
        while True:
            super().step(session)


@pytest.mark.parametrize("kind", [RanksAPool, Spends])
def test_a_stranger_that_starts_cold_is_found_at_its_first_evaluation(
    toy: Benchmark, scores: str, kind: type[Method]
) -> None:
    settings = {"method": "random", "num_warm": 5, "proxies": "up", "scores": scores}
    warm = make_method("warm-start", settings)
    warm.inner = kind()
    with pytest.raises(SuiteError, match="'random' does not draw its first"):
        Trial(make_task(toy, evaluations=20), warm, 0).advance()


def test_what_a_space_works_out_once_is_kept(toy: Benchmark, scores: str) -> None:
    settings = {"method": "regularized-evolution", "proxies": "up", "scores": scores}
    trial = Trial(make_task(toy, evaluations=20), make_method("warm-start", settings), 0)
    spaces = []
    step = trial.method.inner.step
    trial.method.inner.step = lambda session: (spaces.append(session.space), step(session))
    trial.advance()
    assert [space is spaces[0] for space in spaces[:20]] == [True] * 10 + [False] * 10
    assert [space is toy.space for space in spaces[:20]] == [False] * 10 + [True] * 10


def test_proxies_are_assembled_by_ranks(toy: Benchmark, scores: str) -> None:
    record = evaluated(toy, "zero-cost", proxies="up+down", scores=scores, candidates=0)
    middle = 100 + (TSS.size - 100) / 2
    assert abs(record.architectures[:5] - middle).max() < 10  # good by neither, bad by neither
    one, other = np.array([1.0, 2, 3, -np.inf]), np.array([4.0, 4, 1, 0])
    expected = np.log([2 / 4, 3 / 4, 4 / 4, 1 / 4]) + np.log([3.5 / 4, 3.5 / 4, 2 / 4, 1 / 4])
    assert assemble([one, other]) == pytest.approx(expected)


def test_a_process_learns_which_scores_to_believe(
    toy: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of three proxies is right, in its order alone; nine trainings say which."""
    rng = np.random.default_rng(0)
    signals = toy.values("toy_valid_9")
    frame = pd.DataFrame({"arch_str": [TSS.string(index) for index in range(TSS.size)]})
    frame["right"] = np.exp(signals)
    frame["wrong"], frame["noise"] = rng.normal(size=(2, TSS.size))
    path = tmp_path / "three.parquet"
    frame.to_parquet(path)
    settings = {"proxies": "wrong+right+noise", "scores": str(path), "candidates": 0}
    record = evaluated(toy, "zero-cost-gp", **settings)
    best = np.argsort(-signals)[:30]
    assert not np.isin(record.architectures[:5], best).any()
    assert np.isin(record.architectures[5:], best).sum() >= 5
    found = record.signals[:, 0].max()
    monkeypatch.setattr(zero_cost_process, "normal_scores", lambda values: values[[0, 2]])
    assert evaluated(toy, "zero-cost-gp", **settings).signals[:, 0].max() < found


def test_a_process_evaluates_what_computes_the_same_once(toy: Benchmark, scores: str) -> None:
    record = evaluated(toy, "zero-cost-gp", proxies="up", scores=scores, candidates=2000)
    assert len(set(TSS.classes[record.architectures].tolist())) == 20
    few = evaluated(toy, "zero-cost-gp", proxies="params", candidates=7)
    session = Session(make_task(toy, evaluations=20), 0)
    drawn = {TSS.classes[TSS.sample(session.rng)] for _ in range(7)}
    assert set(TSS.classes[few.architectures].tolist()) == drawn  # all of them, and then it ends


def test_scores_are_ranks_brought_to_a_normal_distribution() -> None:
    values = np.array([[1e9, -np.inf, 2.0, 2.0], [np.nan, 3.0, 1.0, 0.0]])
    expected = norm.ppf(np.array([[4, 1, 2.5, 2.5], [1, 4, 3, 2]]) / 5)
    assert normal_scores(values) == pytest.approx(expected)


def on_space(name: str) -> Computed:
    """A benchmark of any space, whose figures do not matter."""
    metrics = [Metric(f"made_{split}_9", dataset="made", split=split, epochs=9) for split in SPLITS]
    return Computed(f"made-{name}", load_space(name), metrics, lambda one, metric: 50.0)


@pytest.mark.parametrize(
    ("space", "settings", "said"),
    [
        ("nats-tss", {"proxies": ""}, "No proxy is named"),
        ("nats-tss", {"proxies": "+"}, "No proxy is named"),
        ("nats-tss", {"images": "nope"}, "Unknown data set 'nope'"),
        ("darts", {"candidates": 0}, "too large to score all of it"),
        ("darts", {"scores": "nas201-proxies"}, "can be listed: compute them"),
        ("darts", {"proxies": "params+az-trainability"}, "do not say where cells end"),
        ("transnas101-micro", {"proxies": "flops"}, "cannot read 1 x 8 x 8"),
        ("transnas101-micro", {"proxies": "synflow"}, "cannot read 1 x 8 x 8"),
    ],
)
@pytest.mark.parametrize("name", ["zero-cost", "warm-start", "zero-cost-gp"])
def test_what_cannot_be_scored_there_is_refused_before_any_trial(
    space: str, settings: dict[str, object], said: str, name: str, tmp_path: Path
) -> None:
    store = tmp_path / "results.sqlite"
    methods = [make_method(name, settings)]
    with pytest.raises(SuiteError, match=said):
        run(on_space(space), methods, evaluations=3, seeds=1, store=store)
    assert not store.exists()


@pytest.mark.parametrize("name", ["zero-cost", "warm-start", "zero-cost-gp"])
def test_scores_dearer_than_the_budget_are_said_to_be_before_any_trial(
    toy: Benchmark, scores: str, name: str
) -> None:
    task = make_task(toy, simulated_seconds=50)
    for given in ({"scores": scores, "proxies": "up", "candidates": 0}, {"proxies": "params"}):
        assert "more than the budget of 50 seconds" in refusal(task, name, given)
    assert not refusal(task, name, {"proxies": "params", "candidates": 20})


def test_a_table_without_scores_of_a_proxy_is_refused(toy: Benchmark, tmp_path: Path) -> None:
    path = tmp_path / "empty.parquet"
    pd.DataFrame({"arch_str": [TSS.string(0)], "up": [np.nan]}).to_parquet(path)
    said = refusal(
        make_task(toy, evaluations=5), "zero-cost", {"scores": str(path), "proxies": "up"}
    )
    assert "No candidate has scores of up" in said


def test_what_cannot_be_ranked_is_refused_before_a_run(toy: Benchmark, scores: str) -> None:
    task = make_task(toy, evaluations=5)
    for settings, said in (
        ({"proxies": "synflo"}, "did you mean 'synflow'"),
        ({"proxies": "sideways", "scores": scores}, "Unknown proxy"),
    ):
        for name in ("zero-cost", "warm-start", "zero-cost-gp"):
            with pytest.raises(SuiteError, match=said):
                make_method(name, settings).refuse(task)
    for name, settings in (
        ("zero-cost", {"candidates": -1}),
        ("zero-cost", {"seconds_each": -1.0}),
        ("warm-start", {"num_warm": -1}),
        ("zero-cost-gp", {"candidates": -1}),
        ("zero-cost-gp", {"num_initial": 0}),
        ("warm-start", {"method": "warm-start"}),
    ):
        with pytest.raises(SuiteError):
            make_method(name, settings)
    session = Session(task, 0)
    with pytest.raises(SuiteError, match="cannot be spent"):
        session.charge(-1.0)
    with pytest.raises(SuiteError, match="not a number"):
        assemble([[1.0, float("nan")]])


def negated(scores: str, path: Path) -> None:
    """The same table with its order turned round."""
    frame = pd.read_parquet(scores)
    frame[["up", "down"]] *= -1
    frame.to_parquet(path)


@pytest.mark.parametrize("name", ["zero-cost", "zero-cost-gp", "warm-start"])
def test_other_scores_in_the_same_file_are_another_method(
    toy: Benchmark, scores: str, tmp_path: Path, name: str
) -> None:
    path, store = tmp_path / "scores.parquet", tmp_path / "results.sqlite"
    settings = {"proxies": "up", "scores": str(path), "candidates": 0}
    shutil.copy(scores, path)

    def again(seeds: int) -> RunSummary:
        return run(toy, [make_method(name, settings)], evaluations=3, seeds=seeds, store=store)

    first = again(1)
    assert (first.finished, first.skipped) == (1, 0)
    assert again(1).skipped == 1
    negated(scores, path)
    other = again(2)
    assert (other.finished, other.skipped) == (2, 0)
    assert leaderboard(store)["method"].nunique() == 2


def test_a_process_reads_a_file_again_that_has_changed(
    toy: Benchmark, scores: str, tmp_path: Path
) -> None:
    path = tmp_path / "scores.parquet"
    settings = {"proxies": "up", "scores": str(path), "candidates": 0}
    shutil.copy(scores, path)
    assert evaluated(toy, "zero-cost", **settings).architectures[0] == TSS.size - 1
    negated(scores, path)
    assert evaluated(toy, "zero-cost", **settings).architectures[0] == 100


def test_keys_without_a_file_of_scores_are_what_they_were(scores: str) -> None:
    for settings in ({}, {"scores": "nas201-proxies", "proxies": "nwot"}):
        for name in ("zero-cost", "zero-cost-gp", "warm-start"):
            method = make_method(name, settings)
            assert method.identity == method.config
    assert "scores_sha256" in make_method("zero-cost", {"scores": scores}).identity
