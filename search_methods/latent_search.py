"""Search by decoding: latents proposed by acquisition, in spaces that cannot be listed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError, need_package
from nasbench_suite.parsing import check_counts
from nasbench_suite.predictors import Examples
from nasbench_suite.spaces import PoolSpace
from nasbench_suite.tasks.method import Method, Session
from nasbench_suite.tasks.task import Task
from search_methods.gaps import filled
from search_methods.graph_vae.wording import wording
from search_methods.graph_vae_search import expected_improvement
from search_methods.initial_designs import Design, check_design, diverse
from search_methods.predictors.gaussian_process import GaussianProcess

if TYPE_CHECKING:
    from search_methods.graph_vae.choice_vae import ChoiceVAE

Array = NDArray[np.float64]

_STEPS = (0.3, 0.6, 1.0)  # of a latent, in standard deviations of those of the space


@dataclass
class LatentSearch(Method):
    """Decode the latents near the best that are expected to improve most, and evaluate these.

    A variational auto-encoder is trained on architectures drawn from the space, without any figure
    of theirs (``search_methods/graph_vae/choice_vae.py``; some seconds). Then::

        evaluate the first architectures
        repeat
            fit a Gaussian process to the latents of what was evaluated
            parents = the best evaluated
            a few times:
                children = decoded steps and crossings of the parents' latents, and their mutants
                drop what is no architecture, or computes the same as one seen
                parents = children of highest expected improvement
            evaluate the best children of all

    On what was measured the space's own encoding and mutants (``embedding=features,
    proposals=mutants``) are at least as good: see docs/graph-vae.md.

    Luo, Tian, Qin, Chen and Liu, *Neural architecture optimization*, NeurIPS 2018, search a latent
    so, by gradient; Lukasik et al., *SVGe*, IJCNN 2021, and Zhang et al., *D-VAE*, NeurIPS 2019, by
    Bayesian optimization of it. Evolution of the acquisition, whose every point is encoded
    again before it is believed, is ours.

    Attributes:
        num_initial: number of architectures at the beginning.
        initial: which these are: ``random`` ones or ``diverse`` ones (see ``initial_designs``).
        batch_size: architectures evaluated between two fits.
        embedding: what the process sees: the ``latent``, or ``features``, the first encoding that
            the space has, for the same search without the auto-encoder.
        proposals: where children come from: ``decoded`` latents, ``mutants``, or ``both``, half of
            them each.
        num_children: children a generation.
        num_parents: architectures that they come from.
        generations: of the evolution of the acquisition.
        samples: architectures that the auto-encoder is trained on.
        epochs: passes over them.
    """

    title: ClassVar[str] = "Latent search"
    approach: ClassVar[str] = "predictor"
    packages: ClassVar[tuple[str, ...]] = ("torch",)
    draws_first: ClassVar[bool] = False
    begins_with: ClassVar[str] = "num_initial"

    num_initial: int = 10
    initial: Design = "random"
    batch_size: int = 5
    embedding: Literal["latent", "features"] = "latent"
    proposals: Literal["both", "decoded", "mutants"] = "both"
    num_children: int = 100
    num_parents: int = 10
    generations: int = 3
    samples: int = 20_000
    epochs: int = 30

    def __post_init__(self) -> None:
        check_counts(
            "The latent search",
            self,
            "num_initial batch_size num_children num_parents generations samples epochs",
        )
        check_design(self.initial)
        if self.embedding not in ("latent", "features"):
            raise SuiteError(
                f"Unknown embedding {self.embedding!r}: choose 'latent' or 'features'."
            )
        if self.proposals not in ("both", "decoded", "mutants"):
            raise SuiteError(
                f"Unknown proposals {self.proposals!r}: choose 'both', 'decoded' or 'mutants'."
            )

    @property
    def _encodes(self) -> bool:
        return self.embedding == "latent" or self.proposals != "mutants"

    def refuse(self, task: Task) -> None:
        """Also where nothing could be decoded: a partial table, or a space without choices."""
        super().refuse(task)
        space = task.benchmark.space
        if isinstance(space, PoolSpace):
            raise SuiteError(
                f"The latent search decodes any architecture of a space, and this table has "
                f"{space.size:,} alone: search what answers for all of it, such as a surrogate "
                f"that `nasbench data fit-surrogate` makes of the table."
            )
        wording(space)
        if self._encodes:
            need_package("The latent search", "torch", "torch")

    def start(self, session: Session) -> None:
        """Train the auto-encoder, or take the one that this process has; know no figure."""
        self.space = session.space
        self.words = wording(self.space)
        self.scores: dict[Any, float] = {}
        self.computed: set[Hashable] = set()  # canonical keys of what was evaluated
        self.vae: ChoiceVAE | None = None
        if self._encodes:
            from search_methods.graph_vae.choice_vae import trained_on

            self.vae = trained_on(self.space.name, self.samples, self.epochs)
            drawn = self.words.sample(1000, np.random.default_rng(0))
            self.spread = self.vae.encode(drawn)[0].std(axis=0)

    def step(self, session: Session) -> None:
        """Evaluate the first architectures, or the children of highest expected improvement."""
        if not self.scores:
            self._evaluate(session, self._first(session))
            return
        from threadpoolctl import threadpool_limits

        # One thread: another number could add in another order and change the last bits.
        with threadpool_limits(1):
            chosen = self._most_promising(session.rng)
        if not chosen:  # nothing new near what is known
            chosen = [self.space.sample(session.rng)]
        self._evaluate(session, chosen)

    def _first(self, session: Session) -> list[Any]:
        if self.initial == "diverse":
            return diverse(self.space, self.num_initial, session.rng)
        return [self.space.sample(session.rng) for _ in range(self.num_initial)]

    def _evaluate(self, session: Session, architectures: Iterable[Any]) -> None:
        for architecture in architectures:
            self.scores[architecture] = session.evaluate(architecture)
            self.computed.add(self.space.canonical(architecture))

    def _most_promising(self, rng: np.random.Generator) -> list[Any]:
        known = list(self.scores)
        values = -filled(-np.array(list(self.scores.values())))
        process = GaussianProcess()
        process.describe = self._embed  # type: ignore[method-assign]
        process.fit(Examples(self.space, known), values, rng)
        best_first = np.argsort(-values, kind="stable")
        parents = [known[place] for place in best_first[: self.num_parents].tolist()]
        gains: dict[Any, float] = {}  # of all children
        met = set(self.computed)
        for _ in range(self.generations):
            children = self._new(self._children(parents, rng), met)
            if not children:
                break
            mean, deviation = process.predict(Examples(self.space, children))
            found = expected_improvement(mean, deviation, values.max()).tolist()
            gains.update(zip(children, found, strict=True))
            parents = sorted(gains, key=gains.__getitem__, reverse=True)[: self.num_parents]
        return sorted(gains, key=gains.__getitem__, reverse=True)[: self.batch_size]

    def _new(self, architectures: Iterable[Any], met: set[Hashable]) -> list[Any]:
        """Those that compute what none met before does, each once; they are met from now on."""
        new = []
        for architecture in architectures:
            key = self.space.canonical(architecture)
            if key not in met:
                met.add(key)
                new.append(architecture)
        return new

    def _children(self, parents: list[Any], rng: np.random.Generator) -> list[Any]:
        decoded = {"both": self.num_children // 2, "decoded": self.num_children, "mutants": 0}
        count = decoded[self.proposals]
        chosen = rng.integers(len(parents), size=self.num_children - count).tolist()
        mutants = [self.space.mutate(parents[place], rng) for place in chosen]
        return self._decoded(parents, count, rng) + mutants

    def _decoded(self, parents: list[Any], count: int, rng: np.random.Generator) -> list[Any]:
        """What steps from the parents' latents, or crossings of two, stand for."""
        if not count:
            return []
        assert self.vae is not None
        latents = self._latents(parents)
        one, other = rng.integers(len(parents), size=(2, count))
        share = rng.random((count, 1)) * (rng.random((count, 1)) < 0.5)
        middle = latents[one] + share * (latents[other] - latents[one])
        step = rng.choice(_STEPS, size=(count, 1)) * self.spread
        cells = self.vae.decode(middle + step * rng.standard_normal(middle.shape))
        read = [self.words.read(cell) for cell in cells.tolist()]
        return [architecture for architecture in read if architecture is not None]

    def _embed(self, examples: Examples) -> Array:
        if self.embedding == "features":
            return examples.features("auto")
        return self._latents(list(examples.architectures))

    def _latents(self, architectures: list[Any]) -> Array:
        assert self.vae is not None
        return self.vae.encode(self.words.write(architectures))[0].astype(np.float64)
