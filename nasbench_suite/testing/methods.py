"""The contract of a search method."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.events import Record
from nasbench_suite.parsing import parse_methods
from nasbench_suite.runner.jobs import pack, unpack_or_fail
from nasbench_suite.runner.trial import Trial
from nasbench_suite.spaces import load_finite_space
from nasbench_suite.tasks import Method, Task, make_task
from nasbench_suite.tasks.methods import make_method, method_class, method_label
from nasbench_suite.testing.base import Contract, global_generators_at
from nasbench_suite.testing.toys import toy_benchmark

EVALUATIONS = 30


class MethodContract(Contract):
    """What the harness and the statistics rely on in every search method.

    Attributes:
        names: of the methods.
        space: the listed space that they are run on.
        settings: hyper-parameters by method, to make the tests quick; these are not varied.
        variations: how many settings drawn at random each method is run with.
    """

    space: ClassVar[str] = "nats-tss"
    settings: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    variations: ClassVar[int] = 8

    def make(self, name: str, **further: Any) -> Method:
        """The method with its quick settings and further ones."""
        return make_method(name, {**self.settings.get(name, {}), **further})

    def task(self, name: str) -> Task:
        """A task that the method can search: of one objective where it can."""
        single = _task(self.space, single=True)
        try:
            self.make(name).refuse(single)
        except SuiteError:
            return _task(self.space, single=False)
        return single

    def run(self, name: str, seed: int = 0, method: Method | None = None) -> Record:
        """The record of one whole search."""
        trial = Trial(self.task(name), method or self.make(name), seed)
        trial.advance()
        return trial.session.record()

    def test_it_is_described_and_can_be_named(self, name: str) -> None:
        """A dataclass with a docstring, whose settings are JSON and can be written in a label."""
        assert_described(name, self.make(name))

    def test_the_same_seed_gives_the_same_record(self, name: str) -> None:
        """Bit for bit, and from the session's generator alone."""
        with global_generators_at(1):
            first = self.run(name)
        with global_generators_at(2):
            second = self.run(name)
        assert_same(first, second)
        assert len(first.architectures), "it evaluated and recommended nothing"

    def test_a_copy_searches_as_the_original(self, name: str) -> None:
        """Trials run on copies, in other processes too; a search leaves nothing in the class."""
        method = self.make(name)
        before = copy.deepcopy(method)
        expected = self.run(name, method=method)
        assert_same(expected, self.run(name, method=before))
        both, failure = unpack_or_fail(pack(self.task(name), self.make(name)))
        assert both is not None, failure and failure.message
        assert_same(expected, self.run(name, method=both[1]))

    def test_it_goes_on_from_a_checkpoint(self, name: str, tmp_path: Path) -> None:
        """Where it gives checkpoints: after each of some steps, with the same record."""
        expected = self.run(name)
        trial = Trial(self.task(name), self.make(name), 0)
        steps = 0
        while not trial.finished and steps < 4:
            trial.advance(1)
            steps += 1
            if trial.finished or not trial.save(tmp_path / "checkpoint.npz"):
                continue
            state = trial.method.checkpoint()
            assert state is None or not _is_pickle(state), "a checkpoint that is a pickle"
            resumed = Trial(self.task(name), self.make(name), 0)
            resumed.load(tmp_path / "checkpoint.npz")
            resumed.advance()
            assert_same(expected, resumed.session.record())

    def test_any_settings_work_or_are_refused(self, name: str) -> None:
        """Settings drawn at random: refused before the first evaluation, or the search ends."""
        rng = np.random.default_rng(0)
        for _ in range(self.variations):
            drawn = dict(_draw(method_class(name), self.settings.get(name, {}), rng))
            try:
                method = self.make(name, **drawn)
            except SuiteError:
                continue
            trial = Trial(self.task(name), method, 0)
            try:
                trial.advance()
            except Exception as error:
                if not isinstance(error, SuiteError) or trial.session.trainings:
                    raise AssertionError(f"{name} with {drawn} fails: {error!r}") from error

    def test_several_objectives(self, name: str) -> None:
        """A method of several objectives keeps its promises there; another is refused."""
        task = _task(self.space, single=False)
        if not method_class(name).multi_objective:
            with pytest.raises(SuiteError):
                Trial(task, self.make(name), 0)
            return
        records = []
        for _ in range(2):
            trial = Trial(task, self.make(name), 0)
            trial.advance()
            records.append(trial.session.record())
        assert_same(*records)
        assert records[0].signals.shape[1] == 2


def assert_described(name: str, method: Method) -> None:
    """Fail where a method is no dataclass with a docstring, or its settings cannot be written."""
    kind = method_class(name)
    assert dataclasses.is_dataclass(kind), f"{kind.__name__} is no dataclass"
    described = inspect.getdoc(kind) or ""
    assert described, "it has no docstring"
    assert not described.startswith(f"{kind.__name__}("), "its docstring is the dataclass's own"
    assert json.loads(json.dumps(method.config)) == method.config, "settings that JSON changes"
    settings = {"", *method.config}
    assert method.begins_with in settings, f"begins_with is no setting: {method.begins_with!r}"
    (parsed,) = parse_methods(method_label(name, method))
    assert make_method(*parsed).config == method.config, "a label that reads differently"


def assert_same(one: Record, other: Record) -> None:
    """Fail where two records differ in any bit."""
    for field in dataclasses.fields(Record):
        first, second = (np.asarray(getattr(each, field.name)) for each in (one, other))
        same = first.shape == second.shape and first.tobytes() == second.tobytes()
        assert same, f"two searches that should be the same differ in {field.name}"


@cache
def _task(space: str, single: bool) -> Task:
    """A task of one or two objectives on the toy benchmark."""
    also = () if single else ("chip_ms",)
    benchmark = toy_benchmark(load_finite_space(space))
    return make_task(benchmark, evaluations=EVALUATIONS, objectives=also)


def _draw(
    kind: type[Method], fixed: Mapping[str, Any], rng: np.random.Generator
) -> Iterator[tuple[str, Any]]:
    """Values for some hyper-parameters, valid by their types: about the defaults, and small."""
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        default, hint = field.default, hints[field.name]
        if not field.init or field.name in fixed or rng.random() < 0.3:
            continue
        if typing.get_origin(hint) is typing.Literal:
            choices = list(typing.get_args(hint))
        elif isinstance(default, bool):
            choices = [True, False]
        elif isinstance(default, int):
            choices = [1, 2, 5, max(1, default // 2), default, 2 * default + 1]
        elif isinstance(default, float):
            choices = [default / 4, default / 2, default, 2 * default]
        else:
            continue
        yield field.name, choices[int(rng.integers(len(choices)))]


def _is_pickle(state: bytes) -> bool:
    """Whether bytes begin as pickles of protocols 2 and later do."""
    return state[:1] == b"\x80" and state[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")
