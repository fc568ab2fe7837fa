"""Methods that alter what they are given, or raise what nobody expects, spoil themselves alone."""

from __future__ import annotations

import os
import pickle
import signal
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.events import Diagnostic, Record, TrialResult
from nasbench_suite.runner import ThisProcess, Trial, run
from nasbench_suite.runner.jobs import Failure
from nasbench_suite.runner.processes import Limits, Processes
from nasbench_suite.runner.settling import settle
from nasbench_suite.runner.wire import WireError, decode, encode
from nasbench_suite.store import ResultStore
from nasbench_suite.tasks import Method, Session, make_task
from nasbench_suite.tasks.methods import make_method


@dataclass
class Misbehaved(Method):
    """Random search that does something at its third evaluation.

    Attributes:
        what: name of a function of this module.
        marks: folder for what it leaves.
    """

    what: str
    marks: str = ""

    def step(self, session: Session) -> None:
        session.evaluate(session.space.sample(session.rng))
        if session.trainings == 3:
            DEEDS[self.what](session, Path(self.marks))


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise SystemExit("not even this")


def raise_base(*_: object) -> None:
    raise BaseException("no Exception")


def raise_interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def raise_unspeakable(*_: object) -> None:
    raise UnspeakableError


def raise_half_characters(*_: object) -> None:
    raise RuntimeError("half a character \ud800 and \x1b[2Jan escape")


def raise_at_length(*_: object) -> None:
    raise RuntimeError("x" * 10**7)


def log_too_late(session: Session, _: Path) -> None:
    session.log(2**70, loss=1.0)


def log_half_characters(session: Session, _: Path) -> None:
    session.log(1, **{"\ud800": 1.0})


def log_too_much(session: Session, _: Path) -> None:
    for step in range(5):
        session.log(step, many=np.zeros(1 << 20))


def forget_the_budget(session: Session, _: Path) -> None:
    session.evaluations = 0.0


def forget_what_was_spent(session: Session, _: Path) -> None:
    session._epochs[:] = [0] * len(session._epochs)
    session._recommended[:] = session._architectures


def improve_signals(session: Session, _: Path) -> None:
    session._signals[-1] = (99.0,)


def log_what_is_none(session: Session, _: Path) -> None:
    session.diagnostics.append("nothing of the kind")  # type: ignore[arg-type]


def answer_a_pickle(_: Session, marks: Path) -> None:
    """To every open pipe, a pickle that leaves a mark where it is loaded."""
    content = pickle.dumps(_Mark(str(marks / "loaded")))
    for number in range(3, 64):
        try:
            os.write(number, len(content).to_bytes(8, "little") + content)
        except OSError:
            continue


@dataclass
class _Mark:
    path: str

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(self.path),)


DEEDS: dict[str, Callable[[Session, Path], None]] = {
    function.__name__: function
    for function in (
        raise_base, raise_interrupt, raise_unspeakable, raise_half_characters, raise_at_length,
        log_too_late, log_half_characters, log_too_much, forget_the_budget, forget_what_was_spent,
        improve_signals, log_what_is_none, answer_a_pickle,
    )
}  # fmt: skip


def test_whatever_a_method_does_it_fails_alone(toy: Benchmark, tmp_path: Path) -> None:
    """Thirteen that misbehave and one that does not, one after another in one run."""
    methods = [(name, Misbehaved(name, str(tmp_path))) for name in DEEDS]
    store = tmp_path / "r.sqlite"
    summary = run(
        toy,
        [*methods, ("random", make_method("random"))],
        seeds=[0],
        evaluations=10,
        store=store,
    )
    told = {failure.method.partition("[")[0]: failure.failure or "" for failure in summary.failures}
    assert set(told) == set(DEEDS)
    assert summary.finished == 1
    assert not (tmp_path / "loaded").exists()
    assert all(message.isprintable() and len(message) < 3000 for message in told.values())
    for name, sentence in {
        "raise_base": "no Exception",
        "raise_unspeakable": "cannot be told",
        "raise_half_characters": r"\ud800 and \x1b[2Jan",
        "log_too_late": "its step is no whole number",
        "log_half_characters": "is no name",
        "log_too_much": "5,242,880 numbers",
        "forget_the_budget": "of 10 evaluations.",
        "forget_what_was_spent": "the table gives other signals",
        "improve_signals": "the table gives other signals at evaluation 3",
        "answer_a_pickle": "no outcome",
    }.items():
        assert sentence in told[name], (name, told[name])


@dataclass
class Vandal(Method):
    """Alters everything that it can reach, and then searches at random."""

    def start(self, session: Session) -> None:
        import gc

        for found in gc.get_objects():
            if isinstance(found, np.ndarray) and found.dtype == float and found.flags.writeable:
                found += 1.0
            elif isinstance(found, list) and found and all(type(one) is float for one in found):
                found[:] = [one + 1.0 for one in found]
        Session.evaluate = lambda self, architecture, epochs=None: 99.0  # type: ignore[method-assign]
        type(session.space).sample = lambda self, rng: 0  # type: ignore[method-assign]

    def step(self, session: Session) -> None:
        session._evaluate(session.space.sample(session.rng), None)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_vandal_changes_no_other_figure(toy: Benchmark, tmp_path: Path, jobs: int) -> None:
    methods = [(name, make_method(name)) for name in ("random", "regularized-evolution")]
    spoilt = [methods[0], ("vandal", Vandal()), methods[1]]
    found = []
    for name, chosen in (("plain", methods), ("spoilt", spoilt)):
        path = tmp_path / f"{name}.sqlite"
        run(toy, chosen, seeds=range(6), jobs=jobs, evaluations=30, store=path)
        with ResultStore(path, read_only=True) as store:
            trials = store.trials()
        trials = trials[trials["method"] != "vandal"]
        found.append(trials[["method", "seed", "report", "signal", "architecture"]].to_numpy())
    assert found[0].tolist() == found[1].tolist()


@dataclass
class Rogue(Method):
    """Kills the process that forks, or leaves its group so as not to be killed with it."""

    how: str = "kills"

    def step(self, session: Session) -> None:
        if self.how == "kills":
            os.kill(os.getppid(), signal.SIGKILL)
        else:
            os.setpgid(0, os.getpgid(os.getppid()))
            while self.how == "hangs":
                pass
            os._exit = lambda *_: None  # type: ignore[assignment]
        session.evaluate(session.space.sample(session.rng))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="trials have no processes here")
def test_who_kills_what_forks_or_leaves_its_group_stops_no_other(
    toy: Benchmark, tmp_path: Path
) -> None:
    path = tmp_path / "r.sqlite"
    rogues = [(how, Rogue(how)) for how in ("kills", "leaves", "hangs")]
    methods = ["random", *rogues, "local-search"]
    where = Processes(2, Limits(seconds=3.0))
    run(toy, methods, seeds=[0], evaluations=3, executor=where, store=path)
    with ResultStore(path, read_only=True) as store:
        trials = store.trials()
    honest = trials[trials["method"].isin(["random", "local-search"])]
    assert honest["status"].tolist() == ["finished"] * 2
    hanging = trials[trials["method"].str.startswith("hangs")]
    assert ["time limit" in message for message in hanging["message"]] == [True]


@pytest.fixture(scope="module")
def result(toy: Benchmark) -> TrialResult:
    trial = Trial(make_task(toy, evaluations=9), make_method("random"), 5)
    trial.advance()
    trial.session.log(3, loss=[1.0, 2.0], entropy=0.5)
    return trial.result()


def test_an_outcome_comes_back_as_it_went(toy: Benchmark, result: TrialResult) -> None:
    two = Trial(
        make_task(toy, evaluations=9, objectives=["toy_train_time_9"]), make_method("random"), 5
    )
    two.advance()
    for outcome in (result, two.result(), Failure("a slip", "where", 0.5), None):
        found = decode(encode(outcome))
        assert encode(found) == encode(outcome)
        assert type(found) is type(outcome)
    back = decode(encode(result))
    assert isinstance(back, TrialResult)
    for one, other in zip(back.diagnostics, result.diagnostics, strict=True):
        assert one.value.shape == other.value.shape  # a number stays a number
        assert np.array_equal(one.value, other.value)


def test_no_bytes_are_another_error_or_run(result: TrialResult) -> None:
    content = encode(result)
    rng = np.random.default_rng(0)
    for _ in range(2000):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content) // 2, size=rng.integers(1, 4)):
            damaged[place] = rng.integers(256)
        try:
            decode(
                bytes(damaged[: rng.integers(len(damaged) + 1)] if rng.random() < 0.2 else damaged)
            )
        except WireError:
            continue


@pytest.mark.parametrize(
    "header",
    [
        b"[" * 100_000,
        b'{"kind": "ready", "arrays": ' + b"[" * 100_000,
        b"[]",
        b'{"kind": "ready", "arrays": [["a", "<f8", [1e400]]]}',
        b'{"kind": "ready", "arrays": [["a", "<f8", [-1]]]}',
        b'{"kind": "ready", "arrays": [["a", "<f8", [9]]]}',
        b'{"kind": "ready", "arrays": [["a", "|O", [1]]]}',
        b'{"kind": "ready", "arrays": [["a", "<f8", ' + b"1," * 99 + b"1]]]}",
        b'{"kind": "failure", "arrays": [], "message": 1, "traceback": 2, "wall_seconds": "x"}',
        b'{"kind": "ready", "arrays": [["a", "<f8", [' + b"9" * 5000 + b"]]]}",
    ],
)
def test_no_header_by_hand_is_another_error(header: bytes) -> None:
    with pytest.raises(WireError):
        decode(struct.pack("<I", len(header)) + header)


def test_what_is_stored_is_what_the_table_says(toy: Benchmark, result: TrialResult) -> None:
    """A worker's own figures count for nothing: incumbents and costs are found anew."""
    task = make_task(toy, evaluations=9)
    lied = decode(encode(result))
    assert isinstance(lied, TrialResult)
    vars(lied.incumbents)["reports"] = lied.incumbents.reports + 1
    vars(lied.record)["evaluations"] = lied.record.evaluations * 0
    settled = settle(task, 5, lied)
    assert isinstance(settled, TrialResult)
    assert encode(settled) == encode(result)
    endless = Diagnostic(1 << 60, "loss", np.zeros(1))
    vars(lied)["diagnostics"] = (endless,)
    assert isinstance(settle(task, 5, lied), Failure)


def test_every_lie_of_a_record_is_named(toy: Benchmark, result: TrialResult) -> None:
    task = make_task(toy, evaluations=9)

    def told(**change: Any) -> str:
        record = Record(**{**vars(result.record), **change})
        found = settle(task, 5, TrialResult(record, result.incumbents, 0.0))
        assert isinstance(found, Failure)
        return found.message

    record = result.record
    twice = {
        name: np.concatenate([getattr(record, name)] * 2)
        for name in ("architectures", "epochs", "signals", "recommended")
    }
    assert "it spent 18 of 9 evaluations" in told(**twice)
    assert "other signals at evaluation 1, 2" in told(signals=record.signals + 1)
    assert "outside the 15625" in told(architectures=record.architectures - 20000)
    assert "after 7 epochs" in told(epochs=record.epochs * 0 + 7)
    assert "different lengths" in told(epochs=record.epochs[:-1])
    nothing = np.zeros(0, np.int32)
    assert "evaluated nothing" in told(
        architectures=nothing, epochs=nothing, recommended=nothing, signals=np.zeros((0, 1))
    )


def test_an_interrupt_of_the_user_ends_the_run(toy: Benchmark, tmp_path: Path) -> None:
    methods = [("mine", Misbehaved("raise_interrupt"))]
    with pytest.raises(KeyboardInterrupt):
        run(toy, methods, seeds=[0], store=tmp_path / "r.sqlite", executor=ThisProcess())


def test_what_is_logged_is_checked_at_once(toy: Benchmark) -> None:
    session = Session(make_task(toy), 0)
    session.log(np.int64(3), loss=1)
    for step, name in ((2**70, "a"), (1.5, "a"), (True, "a"), (1, ""), (1, "x" * 201), (1, "\x1b")):
        with pytest.raises(SuiteError, match="cannot be logged"):
            session.log(step, **{name: 1.0})
