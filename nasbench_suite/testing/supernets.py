"""The contract of a search method that trains a supernet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nasbench_suite.benchmarks.library import load_benchmark
from nasbench_suite.benchmarks.open import load_open
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner.jobs import pack, unpack_or_fail
from nasbench_suite.runner.trial import Trial
from nasbench_suite.tasks import Method, Session, Task, make_task
from nasbench_suite.tasks.methods import make_method, method_class
from nasbench_suite.testing.base import Contract, global_generators_at
from nasbench_suite.testing.methods import assert_described, assert_same


class SupernetContract(Contract):
    """What is relied on in every method that trains a supernet on images.

    ``MethodContract`` would train each of them ten times; this takes two searches.

    Attributes:
        names: of the methods.
        settings: hyper-parameters by method, that make a search as short as can be.
        benchmark: with images to search on.
        spaces: further ones, in which each method takes a step, or says before any that it cannot.
        smaller: further hyper-parameters there, as far as a method has them.
    """

    settings: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    benchmark: ClassVar[str] = "digits"
    spaces: ClassVar[Sequence[str]] = ("darts-s2", "nasbench-macro")
    smaller: ClassVar[Mapping[str, Any]] = {"width": 4, "cells": 3}

    def make(self, name: str, **further: Any) -> Method:
        """The method with its quick settings and further ones."""
        return make_method(name, {**self.settings.get(name, {}), **further})

    def task(self, name: str) -> Task:
        """A task that the method can search."""
        also = ("flops",) if method_class(name).multi_objective else ()
        return make_task(load_benchmark(self.benchmark), objectives=also)

    def test_it_is_described_and_can_be_named(self, name: str) -> None:
        """A dataclass with a docstring, whose settings are JSON and can be written in a label."""
        assert_described(name, self.make(name))

    def test_a_search_is_the_same_left_and_gone_on_with(self, name: str, tmp_path: Path) -> None:
        """A copy, in two parts, whatever the global generators are at; another seed differs."""
        task = self.task(name)
        with global_generators_at(1), torch_generator_at(1):
            whole = Trial(task, self.make(name), 0)
            whole.advance()
        copied, failure = unpack_or_fail(pack(task, self.make(name)))
        assert copied is not None, failure and failure.message
        with global_generators_at(2), torch_generator_at(2):
            part = Trial(*copied, 0)
            part.advance(2)
            assert part.save(tmp_path / "checkpoint.npz"), "it gives no checkpoint"
            resumed = Trial(task, self.make(name), 0)
            resumed.load(tmp_path / "checkpoint.npz")
            resumed.advance()
        assert_same(whole.session.record(), resumed.session.record())
        assert len(whole.session.record().architectures), "it evaluated and recommended nothing"
        told = facts(whole.session)
        assert told, "it logs nothing of its supernet"
        assert facts(resumed.session) == told, "it logs something else of the same search"
        other = Trial(task, self.make(name), 1)
        other.advance(1)
        begun = facts(other.session)
        assert begun != told[: len(begun)], "another seed trains the same supernet"

    def test_other_spaces_are_searched_or_refused(self, name: str) -> None:
        """Refused in a sentence before the first step, or a step gives an architecture of it."""
        has = self.make(name).config
        small = {key: value for key, value in self.smaller.items() if key in has}
        for space in self.spaces:
            task = make_task(load_open(f"live:{self.benchmark}", space))
            try:
                trial = Trial(task, self.make(name, **small), 0)
                trial.advance(0)
            except SuiteError:
                continue
            trial.advance(1)
            found = trial.session.record().strings
            assert found is not None
            assert [trial.session.space.string(each) for each in found] == list(found)


def facts(session: Session) -> list[tuple[int, str, bytes]]:
    """All that was logged in a session, to the last bit."""
    return [
        (entry.step, entry.name, np.asarray(entry.value).tobytes()) for entry in session.diagnostics
    ]


@contextmanager
def torch_generator_at(seed: int) -> Iterator[None]:
    """Set torch's global generator, and put it back afterwards; computing by one thread."""
    import torch

    state, threads = torch.get_rng_state(), torch.get_num_threads()
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_rng_state(state)
        torch.set_num_threads(threads)
