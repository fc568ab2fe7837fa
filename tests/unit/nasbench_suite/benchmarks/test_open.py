"""Benchmarks without a table: searches on spaces that are never listed, judged and kept."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from nasbench_suite import registry
from nasbench_suite.analysis.curves import anytime_curves
from nasbench_suite.analysis.fronts import front_indicators, results_indicators
from nasbench_suite.analysis.leaderboard import leaderboard, overall_leaderboard
from nasbench_suite.analysis.results import read_results
from nasbench_suite.benchmarks import Metric
from nasbench_suite.benchmarks.open import OpenBenchmark, is_open
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import Trial, run
from nasbench_suite.spaces import PoolSpace, ProductSpace, SearchSpace
from nasbench_suite.statistics.pareto import hypervolume, make_measure
from nasbench_suite.store import ResultStore
from nasbench_suite.tasks import Session, make_task
from nasbench_suite.tasks.methods import make_method
from nasbench_suite.tasks.session import BudgetSpent
from reports.figures.attainment import attainment
from reports.tables.fronts import fronts_sheet

DECISIONS, OPTIONS = 12, 7


class HugeSpace(ProductSpace):
    """13 billion words of letters."""

    name = "huge"
    choices = (OPTIONS,) * DECISIONS

    def format(self, form):
        return "".join("abcdefg"[choice] for choice in form)

    def parse(self, string):
        if not isinstance(string, str) or set(string) - set("abcdefg"):
            raise SuiteError(f"Malformed word {string!r}.")
        return tuple("abcdefg".index(letter) for letter in string)


class BareSpace(SearchSpace):
    """The same words, of which nothing is known but how to change a letter."""

    name = "bare"
    words = HugeSpace()

    def sample(self, rng):
        return self.words.sample(rng)

    def mutate(self, architecture, rng):
        return self.words.mutate(architecture, rng)

    def neighbours(self, architecture):
        return self.words.neighbours(architecture)

    def format(self, form):
        return self.words.format(form)

    def parse(self, string):
        return self.words.read(string)


WORTH = np.random.default_rng(4).normal(size=(DECISIONS, OPTIONS))
VALID, TEST, TIME = "made_valid_9", "made_test_9", "made_train_time_9"


class Additive(OpenBenchmark):
    """Answers by a sum over letters; words with the letters ``gaps`` have no figure."""

    def __init__(self, space=None, gaps=""):
        self.space = space or HugeSpace()
        self.name = "additive"
        self.gaps = gaps
        self.asked = 0
        metrics = [Metric(TEST, dataset="made", split="test", epochs=9)]
        for epochs in (1, 3, 9):
            seeds = (5, 6) if epochs == 9 else ()
            valid = f"made_valid_{epochs}"
            metrics.append(Metric(valid, dataset="made", split="valid", epochs=epochs, seeds=seeds))
            time = f"made_train_time_{epochs}"
            metrics.append(Metric(time, "training_time", "s", "minimize", "made", epochs=epochs))
        self.metrics = {metric.name: metric for metric in metrics}
        self.about = {}

    @property
    def checksum(self):
        return f"additive-{self.gaps}"

    def figures(self, architectures, metric, seed=None):
        self.asked += len(architectures)
        found = []
        for architecture in architectures:
            worth = float(WORTH[np.arange(DECISIONS), architecture].sum())
            if "time" in metric:
                found.append(1.0 + architecture[0])
            elif self.space.format(architecture)[:1] in self.gaps:
                found.append(np.nan)
            else:
                shift = {None: 0.0, 5: -0.25, 6: 0.25}[seed]
                found.append(50 + worth + shift + (0.125 if metric == TEST else 0.0))
        return np.array(found)


def searched(name, benchmark, seed=0, settings=None, **task):
    method = make_method(name, settings or {})
    trial = Trial(make_task(benchmark, evaluations=60, **task), method, seed)
    trial.advance()
    return trial.result()


QUICK = {
    "bananas": {"epochs": 3},
    "regularized-evolution": {"population_size": 10, "sample_size": 3},
}
ANY = ["random", "local-search", "regularized-evolution", "successive-halving", "hyperband"]
WITH_CHOICES = [*ANY, "reinforce", "tpe", "bananas"]


@pytest.mark.parametrize("gaps", ["", "abc"])
@pytest.mark.parametrize(
    ("name", "space"),
    [*((name, HugeSpace()) for name in WITH_CHOICES), *((name, BareSpace()) for name in ANY)],
)
def test_methods_search_what_cannot_be_listed(name, space, gaps):
    result = searched(name, Additive(space, gaps), settings=QUICK.get(name))
    record = result.record
    values = [space.read(string) for string in record.strings]
    assert len(set(values)) == len(values)
    assert_array_equal(np.unique(record.architectures), np.arange(len(values)))
    first = np.unique(record.architectures, return_index=True)[1]
    assert (np.diff(first) > 0).all()  # in order of first appearance
    worth = np.array([WORTH[np.arange(DECISIONS), value].sum() + 50 for value in values])
    gone = np.array([space.format(value)[0] in gaps if gaps else False for value in values])
    worth[gone] = np.nan
    assert_array_equal(record.signals[:, 0], worth[record.architectures])
    assert record.unavailable == gone[record.architectures].sum()
    at_most = result.record.epochs == record.epochs.max()
    if name not in ("successive-halving", "hyperband"):
        assert result.incumbents.reports[-1] == np.nanmax(record.signals[at_most]) + 0.125
    again = searched(name, Additive(space, gaps), settings=QUICK.get(name))
    assert again.record.strings == record.strings
    assert_array_equal(again.record.architectures, record.architectures)


@pytest.mark.parametrize(
    ("name", "space", "sentence"),
    [
        ("exhaustive-predictor", HugeSpace(), "'huge' is too large to list"),
        ("graph-vae", HugeSpace(), "'huge' is too large to list"),
        ("tpe", BareSpace(), "'bare' are no vectors of choices"),
        ("reinforce", BareSpace(), "'bare' are no vectors of choices"),
        ("bananas", BareSpace(), "'bare' have none"),
    ],
)
def test_methods_that_need_more_are_refused_before_the_run(name, space, sentence, tmp_path):
    benchmark = Additive(space)
    with pytest.raises(SuiteError, match=sentence):
        run(benchmark, ["random", name], seeds=[0], evaluations=5, store=tmp_path / "r.sqlite")
    assert benchmark.asked == 0


def test_several_objectives_need_a_table_or_a_sample():
    benchmark = Additive()
    with pytest.raises(SuiteError, match="trains each that it is asked for"):
        make_task(benchmark, objectives=[TIME])
    assert benchmark.asked == 0


class Cheap(Additive):
    """Answers as many as one likes."""

    sample_size = 200


def test_several_objectives_are_measured_beside_a_sample(tmp_path):
    """Scale and front are the sample's, whatever a search asked for."""
    task = make_task(Cheap(), evaluations=40, objectives=[TIME])
    table = Cheap().sample([TEST, TIME])
    figures = np.stack([-table.values(TEST), table.values(TIME)], axis=1)
    low, high = figures.min(axis=0), figures.max(axis=0)
    assert_array_equal(task.measure.low, low)
    expected = make_measure(figures, ["minimize", "minimize"]).volume
    assert task.measure.volume == expected
    assert task.optimum is None

    trial = Trial(task, make_method("nsga2", {"population_size": 10}), 0)
    trial.advance()
    found = trial.result()
    words = [found.record.strings[place] for place in found.front.architectures]
    judged = Cheap()
    members = [judged.space.parse(word) for word in words]
    points = np.stack([-judged.figures(members, TEST), judged.figures(members, TIME)], axis=1)
    volume = hypervolume((points - low) / (high - low)) / expected
    assert found.front.indicators["hypervolume"] == pytest.approx(volume, rel=1e-12)
    assert found.incumbents.reports[-1] == pytest.approx(volume, rel=1e-12)
    assert found.front.indicators.keys() == {
        *("hypervolume", "oracle_hypervolume", "igd_plus", "epsilon")
    }

    store = tmp_path / "r.sqlite"
    run(Cheap(), "nsga2,random", seeds=range(3), evaluations=60, objectives=[TIME], store=store)
    board = leaderboard(store)
    assert board["optimum"].isna().all()
    assert board["iqm"].iloc[0] > 0.5
    assert front_indicators(store)["coverage"].isna().all()
    results = read_results(store)
    (row,) = results.tasks.values()
    assert row.measure["sampled"] == 200
    said = str(render_fronts(results))
    assert "those of 200 random architectures" in said
    attainment(store).figure.savefig(tmp_path / "attainment.png")


def render_fronts(results):
    return fronts_sheet(results, results_indicators(results))


def test_each_question_is_asked_once_and_charged_each_time():
    benchmark = Additive()
    session = Session(make_task(benchmark, simulated_seconds=9), 0)
    word = "a" * DECISIONS
    assert session.evaluate(word) == session.evaluate(HugeSpace().parse(word))
    assert benchmark.asked == 2  # a signal and a time
    assert (session.evaluations, session.seconds) == (2, 2)
    session.evaluate("g" + word[1:], 1)
    assert session.trainings == 3
    with pytest.raises(BudgetSpent):
        session.evaluate("g" + word[1:])
    with pytest.raises(SuiteError, match="Malformed word"):
        session.evaluate("z")


def test_one_seed_answers_at_a_time():
    record = searched("random", Additive(), answers="sample").record
    values = [HugeSpace().parse(string) for string in record.strings]
    means = np.array([WORTH[np.arange(DECISIONS), value].sum() + 50 for value in values])
    shifts = record.signals[:, 0] - means[record.architectures]
    assert set(shifts.round(6)) == {-0.25, 0.25}


def test_a_search_goes_on_from_its_checkpoint():
    task = make_task(Additive(), evaluations=30)
    session, whole = Session(task, 3), Session(task, 3)
    for number in range(20):
        if number == 10:
            state = session.state()
            for key, value in state.items():  # as a checkpoint keeps them
                if not isinstance(value, np.ndarray):
                    state[key] = json.loads(json.dumps(value))
            session = Session(task, 3)
            session.restore(state)
        for each in (session, whole):
            each.evaluate(each.space.sample(each.rng) if number % 3 else (0,) * DECISIONS)
    one, other = session.record(), whole.record()
    assert one.strings == other.strings
    assert_array_equal(one.architectures, other.architectures)


def test_results_are_kept_ranked_submitted_and_verified(tmp_path):

    store = tmp_path / "r.sqlite"
    summary = run(
        Additive(gaps="ab"),
        "random,regularized-evolution[population_size=10,sample_size=3],tpe",
        seeds=range(3),
        evaluations=40,
        store=store,
    )
    assert summary.finished == 9
    with ResultStore(store, read_only=True) as results:
        (task,) = results.tasks().values()
        assert task.optimum is None
        trials = results.trials()
        record = results.record(int(trials["trial"][0]))
        assert len(record.strings) > 30
        assert trials["unavailable"][0] == record.unavailable > 0
    board = leaderboard(store)
    assert board["regret"].isna().all()
    assert board["optimum"].isna().all()
    assert board["rank"].tolist() == sorted(board["rank"])
    assert (board["unavailable"] > 0).all()
    assert overall_leaderboard(store)["score"].isna().all()  # nothing is known to have a share of
    curves = anytime_curves(store)  # from the best that anybody found
    assert curves["regret"].min() >= 0


def test_a_task_of_an_open_benchmark_is_that_of_its_answers():
    keys = {make_task(Additive(gaps=gaps), evaluations=9).key for gaps in ("", "a", "b")}
    assert len(keys) == 3
    pool = Additive().pool(["a" * DECISIONS, "b" * DECISIONS], [VALID, TEST])
    assert isinstance(pool.space, PoolSpace)
    assert pool.seed_values(VALID).shape == (2, 2)
    with pytest.raises(SuiteError, match="no figure of 'made_valid_9' for any of the 1"):
        Additive(gaps="a").pool(["a" * DECISIONS], [VALID])


def test_open_benchmarks_are_asked_for_by_kind():
    assert not is_open("digits")
    assert not is_open("nothing-of-the-kind:digits")
    assert "open-benchmarks" in registry.KINDS
    assert {entry.value for entry in registry.entries("open-benchmarks").values()} >= {
        "nasbench_suite.benchmarks.surrogates:load_surrogate"
    }
