"""Small sound files of the kinds that others make, for damage to begin with."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nasbench_suite.files.journal import Journal

_EPOCHS = 2
_TRAININGS = {
    "cifar10": ("ori-test",),
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar100": ("x-valid", "x-test"),
    "ImageNet16-120": ("x-valid", "x-test"),
}


def archive(cells: Sequence[str]) -> dict[str, Any]:
    """An archive as NATS-Bench's authors keep one, an excerpt of these cells."""
    infos = {
        index: {f"{_EPOCHS:02d}": _record(index, cell, place)}
        for place, (index, cell) in enumerate(enumerate(cells))
    }
    return {"meta_archs": list(cells), "arch2infos": infos, "evaluated_indexes": {*infos}}


def _record(index: int, cell: str, place: int) -> dict[str, Any]:
    results = {}
    for name, sets in _TRAININGS.items():
        curve = {epoch: 50.0 + place + epoch for epoch in range(_EPOCHS)}
        of_sets = {
            f"{images}@{epoch}": value - len(images)
            for images in sets
            for epoch, value in curve.items()
        }
        results[name, 777] = {
            "name": name,
            "params": 1.5 + place,
            "flop": 30.25,
            "seed": 777,
            "epochs": _EPOCHS,
            "latency": [0.013, 0.014],
            "train_acc1es": curve,
            "train_losses": curve,
            "train_times": curve,
            "eval_names": list(sets),
            "eval_acc1es": of_sets,
            "eval_losses": of_sets,
            "eval_times": of_sets,
        }
    return {
        "arch_index": index,
        "arch_str": cell,
        "all_results": results,
        "dataset_seed": {name: [777] for name in _TRAININGS},
    }


def zipped(content: bytes) -> bytes:
    """A pickle as ``torch.save`` packs it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("archive/data.pkl", content)
        packed.writestr("archive/version", "3\n")
    return buffer.getvalue()


def write_journal(path: Path) -> None:
    """Measurements of two cells: three visits."""
    plan = {
        "space": "nats-tss",
        "setting": "digits",
        "architectures": [42, 82],
        "runtime": "onnxruntime",
        "pruned": True,
        "rounds": 2,
        "warmup": 1,
        "repeats": 2,
        "reference_every": 20,
        "reference": 0,
        "seed": 0,
        "options": {"batch": 1, "threads": 1, "precision": "float32", "device": "cpu"},
    }
    card = {"processor": "p", "cores": 2, "versions": {"numpy": "2"}, "runtime": "onnxruntime"}
    journal = Journal(path)
    journal.begin(
        {"journal": 1, "plan": plan, "card": card, "started": "2026-01-01T00:00:00+00:00"}
    )
    with journal.appending() as note:
        note({"reference": [30.9, 29.0]})
        note({"round": 0, "index": 42, "us": [37.2, 36.9]})
        note({"round": 0, "index": 82, "us": [25.8, 26.9]})
        note({"round": 1, "index": 42, "us": [36.2, 36.8]})
