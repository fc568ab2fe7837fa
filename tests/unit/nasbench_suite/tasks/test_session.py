"""Tasks and sessions: what is charged, what is seen, and what is not."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import get_args

import numpy as np
import pytest

from nasbench_suite.adding import add_up
from nasbench_suite.benchmarks import Benchmark, Metric, make_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import Trial
from nasbench_suite.spaces import load_space
from nasbench_suite.tasks import BudgetSpent, Method, Objective, Session, Task, make_task
from nasbench_suite.tasks.task import Answers


def test_defaults_are_the_last_validation_and_test_accuracy(toy: Benchmark) -> None:
    task = make_task(toy)
    assert task.objectives == (Objective("toy_valid_9", "toy_test_9"),)
    assert task.fidelities == (1, 3, 9)
    assert task.fidelity_signals == ("toy_valid_1", "toy_valid_3", "toy_valid_9")
    assert task.budget.evaluations == 200
    assert task.crossfit is not None
    assert make_task(toy, crossfit=False).optimum == toy.values("toy_test_9").max()


def test_key_depends_on_figures_and_budget(toy: Benchmark) -> None:
    key = make_task(toy, evaluations=50).key
    assert key == make_task(toy, evaluations=50).key
    assert key != make_task(toy, evaluations=51).key
    assert key != make_task(toy, evaluations=50, answers="sample").key
    other = dict(toy.columns)
    del other["toy_test_9"]
    changed = other["toy_test_9@0"].copy()
    changed[3] += 1e-9
    other["toy_test_9@0"] = changed
    twin = make_benchmark("toy", toy.space, list(toy.metrics.values()), other)
    assert key != make_task(twin, evaluations=50).key


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"signal": "toy_test_9"}, "must not see"),
        ({"signal": "toy_valid_99"}, "Unknown metric"),
        ({"dataset": "tory"}, "did you mean 'toy'"),
        ({"evaluations": 0}, "impossible"),
        ({"evaluations": float("nan")}, "impossible"),
        ({"simulated_seconds": -1}, "impossible"),
        ({"answers": "loud"}, "Unknown way 'loud' of answering"),
        ({"objectives": ["toy_test_9"]}, "must not see"),
    ],
)
def test_bad_tasks_are_refused(toy: Benchmark, arguments: dict, sentence: str) -> None:
    with pytest.raises(SuiteError, match=sentence):
        make_task(toy, **arguments)


def test_a_seconds_budget_needs_training_times(toy: Benchmark) -> None:
    metrics = [m for m in toy.metrics.values() if m.quantity == "accuracy"]
    timeless = make_benchmark("timeless", toy.space, metrics, toy.columns)
    with pytest.raises(SuiteError, match="no training times"):
        make_task(timeless, simulated_seconds=100)


def test_a_choice_of_data_sets_must_be_made() -> None:
    space = load_space("nats-tss")
    metrics = [Metric(f"{d}_{s}_1", dataset=d, split=s) for d in "ab" for s in ("valid", "test")]
    table = make_benchmark("ab", space, metrics, {m.name: np.zeros(space.size) for m in metrics})
    with pytest.raises(SuiteError, match="choose one of a, b"):
        make_task(table)
    assert make_task(table, "b").objectives[0] == Objective("b_valid_1", "b_test_1")


def test_evaluations_are_answered_and_charged(toy: Benchmark) -> None:
    session = Session(make_task(toy, evaluations=2, crossfit=False), seed=0)
    arch = 77
    assert session.evaluate(arch) == toy.query(arch, "toy_valid_9")
    assert session.evaluate(toy.space.string(arch), epochs=3) == toy.query(arch, "toy_valid_3")
    assert session.evaluations == pytest.approx(1 + 3 / 9)
    assert session.seconds == pytest.approx(
        toy.query(arch, "toy_train_time_9") + toy.query(arch, "toy_train_time_3")
    )
    assert session.remaining == pytest.approx(1 - (1 + 3 / 9) / 2)
    session.evaluate(arch, epochs=3)  # a repeated one is charged again
    session.evaluate(arch, epochs=3)
    assert session.evaluations == pytest.approx(2)
    assert not session.exhausted
    with pytest.raises(BudgetSpent):
        session.evaluate(arch, epochs=1)
    assert session.exhausted
    record = session.record()
    assert record.architectures.tolist() == [arch] * 4
    assert record.epochs.tolist() == [9, 3, 3, 3]
    assert record.evaluations[-1] == session.evaluations


def test_seconds_end_a_search_before_they_are_exceeded(toy: Benchmark) -> None:
    session = Session(make_task(toy, simulated_seconds=100), seed=0)
    for _ in range(100):
        with suppress(BudgetSpent):
            session.evaluate(session.space.sample(session.rng))
    assert session.exhausted
    times = toy.values("toy_train_time_9")
    assert session.seconds == pytest.approx(times[session.record().architectures].sum())
    assert 100 - times.max() < session.seconds <= 100


def test_a_minimised_signal_is_turned_round(toy: Benchmark) -> None:
    task = make_task(toy, signal="toy_valid_9", objectives=["toy_train_time_9"], crossfit=False)
    both = Session(task, 0).evaluate_all(5)
    assert both.tolist() == [toy.query(5, "toy_valid_9"), -toy.query(5, "toy_train_time_9")]


def test_sampled_noise_answers_with_one_of_the_seeds(toy: Benchmark) -> None:
    session = Session(make_task(toy, answers="sample", evaluations=1000, crossfit=False), seed=0)
    seen = {session.evaluate(3) for _ in range(60)}
    assert seen == set(toy.seed_values("toy_valid_9")[3])


def test_sampled_noise_leaves_out_seeds_that_were_not_trained(toy: Benchmark) -> None:
    columns = dict(toy.columns)
    gap = columns["toy_valid_9@1"].copy()
    gap[3] = np.nan
    columns["toy_valid_9@1"] = gap
    del columns["toy_valid_9"]
    table = make_benchmark("gap", toy.space, list(toy.metrics.values()), columns)
    assert table.query(3, "toy_valid_9") == gap_free_mean(table, 3)
    session = Session(make_task(table, answers="sample"), seed=0)
    assert {session.evaluate(3) for _ in range(30)} == {table.columns["toy_valid_9@0"][3]}


def test_noise_does_not_disturb_what_a_method_draws(toy: Benchmark) -> None:
    """The method's generator stands where it would stand without noise."""
    drawn = []
    for answers in get_args(Answers):
        session = Session(make_task(toy, answers=answers, crossfit=False), seed=5)
        for index in range(20):
            session.evaluate(index)
        drawn.append(session.rng.random(8).tolist())
    assert drawn[0] == drawn[1]


def test_noise_is_not_the_methods_own_draws(toy: Benchmark) -> None:
    """A method that draws 0 or 1 does not draw which of two seeds answers."""
    session = Session(make_task(toy, answers="sample", crossfit=False), seed=5)
    seeds = toy.seed_values("toy_valid_9")
    answered = [int(session.evaluate(index) == seeds[index][1]) for index in range(64)]
    assert 0 < sum(answered) < 64
    assert answered != [int(session.rng.choice([0, 1])) for _ in range(64)]


def test_fractions_add_up_to_the_budget(toy: Benchmark) -> None:
    """Nine ninths, which add up to a little more than one, are one."""
    assert add_up([1 / 9] * 9) > 1
    session = Session(make_task(toy, evaluations=1), seed=0)
    for index in range(9):
        session.evaluate(index, epochs=1)
    with pytest.raises(BudgetSpent):
        session.evaluate(9, epochs=1)
    assert session.trainings == 9


def gap_free_mean(table: Benchmark, index: int) -> float:
    return float(np.nanmean(table.seed_values("toy_valid_9")[index]))


def test_unknown_epochs_and_architectures_are_refused(toy: Benchmark) -> None:
    session = Session(make_task(toy), seed=0)
    with pytest.raises(SuiteError, match="no signal after 2 epochs"):
        session.evaluate(0, epochs=2)
    with pytest.raises(SuiteError, match="outside space"):
        session.evaluate(15_625)
    with pytest.raises(SuiteError, match="outside space"):
        session.evaluate(-1)
    assert session.trainings == 0


def test_no_test_figure_can_be_reached_from_a_session(toy: Benchmark) -> None:
    """Walk everything a session refers to: neither the table nor a test column is among it."""
    session = Session(make_task(toy, answers="sample", crossfit=False), seed=0)
    reached = list(everything_reachable(session))
    assert not [item for item in reached if isinstance(item, (Task, Benchmark))]
    signals = toy.seed_values("toy_valid_9")
    arrays = [item for item in reached if isinstance(item, np.ndarray)]
    assert any(np.array_equal(array, signals) for array in arrays), "the walk must get that far"
    for name in toy.columns:
        if "_test_" in name:
            assert not any(np.shares_memory(array, toy.columns[name]) for array in arrays)
    first = toy.values("toy_test_9").tolist()[:3]
    assert not [item for item in reached if isinstance(item, list) and item[:3] == first]


def test_of_a_divided_table_the_other_training_cannot_be_reached_either(toy: Benchmark) -> None:
    session = Session(make_task(toy), seed=0)
    reached = list(everything_reachable(session))
    assert not [item for item in reached if isinstance(item, (Task, Benchmark))]
    lists = [item[:3] for item in reached if isinstance(item, list)]
    lists += [item[:3].tolist() for item in reached if isinstance(item, np.ndarray)]
    assert toy.columns["toy_valid_9@0"][:3].tolist() in lists, "the walk must get that far"
    hidden = ("toy_valid_9", "toy_valid_9@1", "toy_test_9", "toy_test_9@0", "toy_test_9@1")
    assert not [name for name in hidden if toy.columns[name][:3].tolist() in lists]


def everything_reachable(start: object) -> Iterator[object]:
    """All objects that ``start`` refers to, through closures but not into modules and classes."""
    seen: dict[int, object] = {}
    todo = [start]
    while todo:
        item = todo.pop()
        if id(item) in seen or isinstance(item, (type, ModuleType)):
            continue
        seen[id(item)] = item
        yield item
        if isinstance(item, FunctionType):
            todo.extend(cell.cell_contents for cell in item.__closure__ or ())
        else:
            todo.extend(gc.get_referents(item))


@dataclass
class Counter(Method):
    """Evaluates 0, 1, 2, ... and recommends the last."""

    recommends: bool = False

    def start(self, session: Session) -> None:
        self.next = 0

    def step(self, session: Session) -> None:
        session.evaluate(self.next)
        if self.recommends:
            session.recommend(self.next)
        self.next += 1


def test_a_trial_can_be_left_and_gone_on_with(toy: Benchmark) -> None:
    whole = Trial(make_task(toy, evaluations=100), Counter(), 0)
    whole.advance()
    parts = Trial(make_task(toy, evaluations=100), Counter(), 0)
    while not parts.finished:
        parts.advance(7)
    for name in ("architectures", "epochs", "signals", "evaluations", "seconds"):
        assert np.array_equal(
            getattr(whole.result().record, name), getattr(parts.result().record, name)
        )
    assert len(whole.result().record.architectures) == 100


def test_incumbents_are_the_best_validation_so_far(toy: Benchmark) -> None:
    trial = Trial(make_task(toy, evaluations=100, crossfit=False), Counter(), 0)
    trial.advance()
    incumbents = trial.result().incumbents
    signals = toy.values("toy_valid_9")[:100]
    best = [int(signals[: n + 1].argmax()) for n in range(100)]
    changed = [n for n in range(100) if n == 0 or best[n] != best[n - 1]]
    assert (incumbents.trainings - 1).tolist() == changed
    assert incumbents.architectures.tolist() == [best[n] for n in changed]
    assert np.array_equal(incumbents.signals, signals[incumbents.architectures])
    assert np.array_equal(incumbents.reports, toy.values("toy_test_9")[incumbents.architectures])


def test_of_equal_signals_the_earliest_is_the_incumbent(toy: Benchmark) -> None:
    columns = {name: values.copy() for name, values in toy.columns.items()}
    for name in ("toy_valid_9", "toy_valid_9@0", "toy_valid_9@1"):
        columns[name][:4] = 5.0, 7.0, 7.0, 6.0
    table = make_benchmark("equal", toy.space, list(toy.metrics.values()), columns)
    trial = Trial(make_task(table, evaluations=4), Counter(), 0)
    trial.advance()
    incumbents = trial.result().incumbents
    assert incumbents.architectures.tolist() == [0, 1]
    assert incumbents.trainings.tolist() == [1, 2]


def test_a_recommendation_outranks_the_best_validation(toy: Benchmark) -> None:
    trial = Trial(make_task(toy, evaluations=5), Counter(recommends=True), 0)
    trial.advance()
    assert trial.result().incumbents.architectures.tolist() == [0, 1, 2, 3, 4]


def test_a_search_without_evaluations_is_its_recommendations(toy: Benchmark) -> None:
    @dataclass
    class OneShot(Method):
        def start(self, session: Session) -> None:
            self.epoch = 0

        def step(self, session: Session) -> None:
            session.recommend([4, 4, 9, 9][self.epoch])
            self.epoch += 1

        @property
        def finished(self) -> bool:
            return self.epoch == 4

    trial = Trial(make_task(toy, crossfit=False), OneShot(), 0)
    trial.advance()
    result = trial.result()
    assert result.record.recommended.tolist() == [4, 4, 9, 9]
    assert result.record.evaluations.tolist() == [0, 0, 0, 0]
    assert np.isnan(result.record.signals).all()
    assert result.incumbents.architectures.tolist() == [4, 9]
    assert result.incumbents.trainings.tolist() == [1, 3]
    assert result.incumbents.reports.tolist() == toy.values("toy_test_9")[[4, 9]].tolist()


def test_more_epochs_outrank_a_better_signal(toy: Benchmark) -> None:
    @dataclass
    class Ladder(Method):
        def step(self, session: Session) -> None:
            low = toy.values("toy_valid_1")
            session.evaluate(int(low.argmax()), epochs=1)
            session.evaluate(int(toy.values("toy_valid_3").argmin()), epochs=3)
            session.evaluate(int(low.argmax()), epochs=1)
            session.evaluate(9)

    trial = Trial(make_task(toy), Ladder(), 0)
    trial.advance(1)
    architectures = trial.result().incumbents.architectures.tolist()
    assert architectures == [
        int(toy.values("toy_valid_1").argmax()),
        int(toy.values("toy_valid_3").argmin()),
        9,
    ]


def test_a_method_that_swallows_the_end_still_ends(toy: Benchmark) -> None:
    @dataclass
    class Deaf(Method):
        def step(self, session: Session) -> None:
            try:
                session.evaluate(0)
            except Exception:
                self.refused = True

    trial = Trial(make_task(toy, evaluations=100), Deaf(), 0)
    trial.advance()
    assert trial.finished
    assert len(trial.result().record.architectures) == 100


def test_a_method_that_never_evaluates_is_named(toy: Benchmark) -> None:
    @dataclass
    class Idle(Method):
        def step(self, session: Session) -> None:
            pass

    with pytest.raises(SuiteError, match="Idle took 10000 steps without"):
        Trial(make_task(toy), Idle(), 0).advance()
