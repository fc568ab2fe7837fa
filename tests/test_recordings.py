"""The command that shows what a change does to the searches."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import recordings

from nasbench_suite.benchmarks import load_benchmark
from nasbench_suite.tasks import make_task
from search_methods.random_search import RandomSearch


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    def tasks(data: Path) -> Iterator[recordings.Named]:
        task = make_task(load_benchmark("digits"), evaluations=12, objectives=["onnxruntime_ms"])
        yield recordings.Named("few", task)

    monkeypatch.setattr(recordings, "tasks", tasks)


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["recordings.py", *map(str, arguments)])
    return recordings.main()


def test_what_differs_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "before.json"
    assert call(monkeypatch, "--output", file, "--methods", "random,nsga2") == 0
    assert len(json.loads(file.read_text())) == 2 * len(recordings.SEEDS)
    assert call(monkeypatch, "--against", file, "--methods", "random,nsga2") == 0
    assert "4 of 4 trials are the same" in capsys.readouterr().out

    def step(self: RandomSearch, session: object) -> None:
        session.evaluate(session.space.size - 1)  # type: ignore[attr-defined]

    monkeypatch.setattr(RandomSearch, "step", step)
    assert call(monkeypatch, "--against", file, "--methods", "random,nsga2") == 1
    told = capsys.readouterr().out
    assert "few | random | 0: evaluations, front, incumbents\n" in told
    assert "nsga2" not in told
    assert "2 of 4 trials are the same" in told


def test_a_recording_of_other_methods_shows_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "before.json"
    call(monkeypatch, "--output", file, "--methods", "random")
    assert call(monkeypatch, "--against", file, "--methods", "nsga2") == 1


def test_every_bit_and_shape_counts() -> None:
    import numpy as np

    values = [
        np.array([0.0, 1.0]),
        np.array([-0.0, 1.0]),
        np.array([[0.0, 1.0]]),
        np.array([0.0, 1.0], dtype=np.float32),
        np.array([0.0, np.nextafter(1.0, 2.0)]),
        [0.0, 1.0],
        [0.0, np.nextafter(1.0, 2.0).item()],
    ]
    assert len({recordings.digest(value) for value in values}) == len(values)
