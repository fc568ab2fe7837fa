"""The growing table of what was trained: nobody trains the same twice.

A folder for each recipe, with ``recipe.json``, a journal of trainings and the states of those that
were left before their last epoch.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasbench_suite.errors import SuiteError
from nasbench_suite.files.atomic import write_text
from nasbench_suite.files.journal import Journal
from nasbench_suite.files.locks import locked

if TYPE_CHECKING:
    from nasbench_suite.benchmarks.live.training import Training

_NAMES = {"architecture": str, "seed": int, "epochs": int, "readings": list}


class Trainings:
    """The trainings of one recipe.

    Processes of one machine share it: one waits for another that is training the same.

    Args:
        folder: where they are kept; made with the first training.
        recipe: what is written beside them, for who looks there.
    """

    def __init__(self, folder: Path, recipe: dict[str, Any]) -> None:
        self.folder, self._recipe = folder, recipe
        self._journal = Journal(folder / "trainings.jsonl", sync=True)
        self._known: dict[tuple[str, int], dict[str, Any]] = {}
        self._read = -1

    def find(self, architecture: str, seed: int, epochs: int) -> dict[str, Any] | None:
        """The training of at least so many epochs, or None.

        Raises:
            SuiteError: the journal is damaged.
        """
        found = self._find(architecture, seed, epochs)
        if found is None and self._catch_up():
            found = self._find(architecture, seed, epochs)
        return found

    def _find(self, architecture: str, seed: int, epochs: int) -> dict[str, Any] | None:
        entry = self._known.get((architecture, seed))
        return entry if entry is not None and entry["epochs"] >= epochs else None

    def entries(self) -> list[dict[str, Any]]:
        """All trainings, each with the most epochs it came to."""
        self._catch_up()
        return list(self._known.values())

    def _catch_up(self) -> bool:
        """Read what was added since; whether anything was."""
        path = self._journal.path
        size = path.stat().st_size if path.exists() else 0
        if size == self._read:
            return False
        for entry in self._journal.entries():
            if any(not isinstance(entry.get(name), kind) for name, kind in _NAMES.items()):
                raise SuiteError(
                    f"{path} holds an entry that is no training: delete that line, and what it "
                    f"held is trained again."
                )
            key = entry["architecture"], entry["seed"]
            if key not in self._known or self._known[key]["epochs"] < entry["epochs"]:
                self._known[key] = entry
        self._read = size
        return True

    def train(
        self, architecture: str, seed: int, epochs: int, begin: Callable[[], Training]
    ) -> dict[str, Any]:
        """The training of at least so many epochs: kept, gone on with, or begun.

        Args:
            architecture: its string.
            seed: of the training.
            epochs: wanted.
            begin: what sets a training up.

        Raises:
            SuiteError: the folder cannot be written, or the journal is damaged.
        """
        name = hashlib.sha256(f"{architecture}\n{seed}".encode()).hexdigest()[:32]
        with locked(self.folder / "locks" / name):
            found = self.find(architecture, seed, epochs)
            if found is not None:
                return found
            self._describe()
            before = self._known.get((architecture, seed))
            entry = self._go_on(architecture, seed, epochs, begin(), before, name)
            with locked(self.folder / "locks" / "journal"), self._journal.appending() as note:
                note(entry)
            self._known[architecture, seed] = entry
            return entry

    def _go_on(
        self,
        architecture: str,
        seed: int,
        epochs: int,
        training: Training,
        before: dict[str, Any] | None,
        name: str,
    ) -> dict[str, Any]:
        """Train up to so many epochs; what is known of the first of them stays as it was read."""
        state = self.folder / "states" / f"{name}.npz"
        if before is not None and state.exists():
            training.load(state)
        readings: list[dict[str, float]] = [] if before is None else list(before["readings"])
        while training.epochs < epochs:
            reading = asdict(training.train_epoch())
            if training.epochs > len(readings):
                readings.append(reading)
        if epochs < training.recipe.epochs:
            state.parent.mkdir(parents=True, exist_ok=True)
            training.save(state)
        else:
            state.unlink(missing_ok=True)
        return {
            "architecture": architecture,
            "seed": seed,
            "epochs": epochs,
            "readings": readings,
            "megabytes": training.megabytes,
            "made_by": made_by(training.recipe.device),
        }

    def _describe(self) -> None:
        path = self.folder / "recipe.json"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_text(path, json.dumps(self._recipe, indent=1) + "\n")


def made_by(device: str) -> dict[str, str]:
    """What figures of a training may depend on beside its recipe."""
    import torch

    chip = platform.processor() or platform.machine()
    if device.startswith("cuda"):
        chip = torch.cuda.get_device_name(device)
    return {"torch": torch.__version__, "device": chip, "system": platform.system()}
