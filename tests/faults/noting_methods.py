"""Methods that note every trial that they begin, by which a campaign sees what is repeated."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from nasbench_suite.tasks import Session
from search_methods.random_search import RandomSearch
from search_methods.regularized_evolution import RegularizedEvolution


def note(method: str, session: Session) -> None:
    """Add a line to the notes, in one write."""
    with Path(os.environ["NOTES"]).open("a") as notes:
        notes.write(f"{method} {session.seed}\n")


@dataclass
class NotingRandom(RandomSearch):
    """Random search."""

    registered: ClassVar[str] = "noting-random"

    def start(self, session: Session) -> None:
        """Note it."""
        note(self.registered, session)
        super().start(session)


@dataclass
class NotingEvolution(RegularizedEvolution):
    """Regularised evolution."""

    registered: ClassVar[str] = "noting-evolution"

    def start(self, session: Session) -> None:
        """Note it."""
        note(self.registered, session)
        super().start(session)
