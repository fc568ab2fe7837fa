"""Search in the latent space of a graph VAE, for one objective or several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import check_counts
from nasbench_suite.spaces import FiniteSpace, listed
from nasbench_suite.spaces.base import encode_one_hot
from nasbench_suite.statistics.pareto import hypervolume, nondominated
from nasbench_suite.tasks.method import Method, Session
from nasbench_suite.tasks.task import Task
from search_methods.graph_vae.embedding import load_embedding
from search_methods.initial_designs import check_design, farthest
from search_methods.predictors.gaussian_process import CandidateProcess
from search_methods.transfer import Source, best_elsewhere, check_source, known_figures

Array = NDArray[np.float64]

_DRAWS = 32  # joint samples of three and more objectives
_COMPONENTS = 6  # of what is known beforehand
_TRANSFER_WEIGHT = 4.0  # deviation of what it says, beside that of the features
_FIRST_DIVERSE = 3  # before a head can say what is extreme
_SHORTLIST = 200  # candidates that they are drawn for


@dataclass
class GraphVAESearch(Method):
    """Evaluate what is expected to add most hypervolume, by Gaussian processes on the latent.

    The embedding of all architectures is that of a graph VAE trained without any accuracy
    (``search_methods/graph_vae``), the same for every data set and device. What is learnt from
    evaluations alone, which are charged to the budget::

        repeat
            the accuracy head is fitted to the graphs seen, each at the mean latent of its twins
            the other heads (latency, ...) to the architectures seen, each at its own choices
            of every graph, the twin predicted cheapest and not yet seen is a candidate
            evaluate the candidate of highest expected hypervolume improvement

    Twins compute the same function, so an accuracy belongs to the graph; they do not cost the
    same, so a latency belongs to the string. All latents being known, none needs to be decoded:
    the search is exact over the space. With one objective this is expected improvement (Jones,
    Schonlau and Welch, 1998); with two, exact expected hypervolume improvement (Emmerich,
    Deutz and Klinkenberg, CEC 2011); with more, its mean over joint samples for the candidates
    that look best. With ``bound``, the first objective is maximised where the second is within
    it: expected improvement times the probability of that (Gardner et al., ICML 2014).

    The dissertation this follows is not published in what is at hand; the combination is ours.

    Attributes:
        num_initial: number of first queries.
        initial: what these are: ``random`` graphs; ``diverse`` architectures, each the farthest
            from those before in the features of the heads; or for a front ``extremes`` of the
            last objective as its head predicts it, the best and the worst in turn, once three
            diverse ones are known. ``auto`` is diverse for a front and random for one objective,
            where extremes say little of the best.
        refit_every: evaluations between two choices of the heads' hyper-parameters; their
            posteriors follow every evaluation.
        embedding: of the accuracy head: ``latent``, or ``one-hot`` for the same search without
            the graph VAE.
        cost_embedding: of the other heads: a latency nearly adds up over the edges as they are
            written, dead ones too, so ``one-hot`` says more of it than the latent.
        average_twins: whether the accuracy head sees graphs, at the mean of their twins, or
            strings.
        functional: whether beside the latent the heads see what the graph VAE's structure head,
            linear in it, says of it, as strongly as the rest of it.
        transfer: what is used of the figures that a warm task lets a search know beforehand:
            ``accuracy`` of other data sets, ``cost`` of other devices, ``all`` or ``none``. Their
            principal components stand beside the features in the linear part of each head.
        warm_initial: number of first queries with any such figures: architectures that are
            non-dominated by their means.
        bound: largest (or smallest, if more is better) value allowed of the second objective, in
            its own unit; None searches for the whole front.
        model: a checkpoint of the graph VAE, which needs torch unless ``nasbench vae embed`` has
            put the latents of all cells beside it; by default what comes with the package.
    """

    title: ClassVar[str] = "Graph VAE search"
    approach: ClassVar[str] = "predictor"

    multi_objective: ClassVar[bool] = True
    lists_space: ClassVar[bool] = True
    draws_first: ClassVar[bool] = False
    needs_choices: ClassVar[bool] = True
    begins_with: ClassVar[str] = "num_initial"

    num_initial: int = 10
    initial: Literal["auto", "random", "diverse", "extremes"] = "auto"
    refit_every: int = 10
    embedding: Literal["latent", "one-hot"] = "latent"
    cost_embedding: Literal["latent", "one-hot"] = "one-hot"
    average_twins: bool = True
    functional: bool = True
    transfer: Source = "all"
    warm_initial: int = 5
    bound: float | None = None
    model: str = ""

    def __post_init__(self) -> None:
        check_counts("The graph VAE search", self, "num_initial refit_every warm_initial")
        for name in ("embedding", "cost_embedding"):
            if getattr(self, name) not in ("latent", "one-hot"):
                raise SuiteError(
                    f"Unknown {name} {getattr(self, name)!r}: choose 'latent' or 'one-hot'."
                )
        check_design(self.initial, "auto", "extremes")
        check_source(self.transfer)

    def beginning(self, task: Task) -> tuple[float, str]:
        """The first queries, unless figures choose them: known beforehand, or of the first few."""
        decided = task.transfer or self.initial == "extremes"
        return (0, "") if decided else super().beginning(task)

    def refuse(self, task: Task) -> None:
        """Also where there is no embedding of the space, or one that cannot be used."""
        super().refuse(task)
        if "latent" in [self.embedding, self.cost_embedding][: len(task.objectives)]:
            load_embedding(task.benchmark.space.name, self.model)

    def start(self, session: Session) -> None:
        """Embed the whole space; know no figure."""
        space = listed(session.space)
        if self.bound is not None and session.objectives != 2:
            raise SuiteError(
                f"A bound is for a task of two objectives, and this one has {session.objectives}: "
                f"name the objective to bound with --objectives."
            )
        self.seen: list[int] = []
        self.values: list[Array] = []  # larger is better
        self.unseen = space.connected.copy()  # the others compute nothing
        self.classes = space.classes if self.average_twins else np.arange(space.size)
        graphs = [_class_means(part, self.classes) for part in self._embed(space, self.embedding)]
        accuracies, costs = known_figures(session, self.transfer)
        said = None if accuracies is None else _class_means(accuracies, self.classes)
        self.heads = [CandidateProcess(_side_by_side(graphs), beforehand=_components(said))]
        if session.objectives > 1:
            others, said = (
                _side_by_side(self._embed(space, self.cost_embedding)),
                _components(costs),
            )
            self.heads += [
                CandidateProcess(others, beforehand=said) for _ in range(session.objectives - 1)
            ]
        allowed = np.flatnonzero(self.unseen)
        self.first = best_elsewhere(accuracies, costs, allowed, self.warm_initial)
        self.warm = bool(self.first)
        self.by_class = np.argsort(self.classes, kind="stable")
        self.class_starts = np.flatnonzero(np.diff(self.classes[self.by_class], prepend=-1))
        self.fitted = 0  # evaluations when the hyper-parameters were last chosen

    def _embed(self, space: FiniteSpace, embedding: str) -> list[Array]:
        if embedding == "one-hot":
            return [encode_one_hot(space.all_vectors, space.choices)]
        found = load_embedding(space.name, self.model)
        whole = self.functional and found.functional.size
        return [found.latents, found.functional] if whole else [found.latents]

    @property
    def finished(self) -> bool:
        """Whether every connected architecture has been evaluated."""
        return not self.unseen.any()

    def step(self, session: Session) -> None:
        """Evaluate one architecture: at random at first, then the most promising."""
        if self.first:
            chosen = self.first.pop(0)
        elif len(self.seen) < (self.warm_initial if self.warm else self.num_initial):
            usual = "diverse" if session.objectives > 1 else "random"
            design = usual if self.initial == "auto" else self.initial
            if design == "extremes" and len(self.heads) > 1 and len(self.seen) >= _FIRST_DIVERSE:
                chosen = self._extreme()
            else:
                chosen = self._random(session) if design == "random" else self._unlike(session)
        else:
            self._learn()
            chosen = self._most_promising(session)
        values = session.evaluate_all(chosen)
        if not np.isfinite(values).all():  # there is nothing to learn from
            self.unseen[chosen] = False
            return
        self.seen.append(chosen)
        self.values.append(values)
        self.unseen[chosen] = False
        if self.fitted:
            for head, place, value in zip(self.heads, self._places(chosen), values, strict=True):
                head.observe(place, float(value))
        if self.bound is not None:
            self._recommend_within_bound(session)

    def _random(self, session: Session) -> int:
        unseen = np.flatnonzero(self.unseen)
        untried = unseen[np.unique(self.classes[unseen], return_index=True)[1]]
        return int(untried[session.rng.integers(len(untried))])

    def _unlike(self, session: Session) -> int:
        """Unlike those seen, in what the heads see."""
        features = [self.heads[0].features[self.classes], *(h.features for h in self.heads[1:2])]
        seen, unseen = np.array(self.seen, dtype=np.int64), np.flatnonzero(self.unseen)
        return farthest(np.hstack(features), seen, unseen, session.rng)

    def _extreme(self) -> int:
        """The best and the worst of those unseen in turn, by the last objective as predicted."""
        self.heads[-1].fit(self.seen, np.array(self.values)[:, -1])
        sign = 1 if len(self.seen) % 2 else -1
        return int(np.where(self.unseen, sign * self.heads[-1].predict()[0], -np.inf).argmax())

    def _places(self, architecture: int) -> list[int]:
        """Where the heads find an architecture: its graph, then itself."""
        return [int(self.classes[architecture]), *[architecture] * (len(self.heads) - 1)]

    def _learn(self) -> None:
        """Choose hyper-parameters anew, now and then: more seldom the more is known."""
        since = len(self.seen) - self.fitted
        if self.fitted and since < max(self.refit_every, len(self.seen) // 5):
            return
        self.fitted = len(self.seen)
        places = np.array([self._places(architecture) for architecture in self.seen])
        for head, where, values in zip(self.heads, places.T, np.array(self.values).T, strict=True):
            head.fit(where.tolist(), values)

    def _most_promising(self, session: Session) -> int:
        first, *others = [np.array(head.predict()) for head in self.heads]
        candidates = self._cheapest_twins([cost[0] for cost in others])
        picked = [first[:, self.classes[candidates]], *(cost[:, candidates] for cost in others)]
        mean, deviation = np.stack(picked, axis=1)  # each (objectives, candidates)
        known = np.array(self.values)
        if len(mean) == 1:
            gains = expected_improvement(mean[0], deviation[0], known.max())
        elif self.bound is not None:
            gains = self._constrained_gains(mean, deviation, known, self._limit(session))
        elif len(mean) == 2:
            gains = expected_hypervolume_improvement(mean.T, deviation.T, known)
        else:
            gains = _sampled_gains(mean.T, deviation.T, known, session.rng)
        return int(candidates[np.argmax(gains)])

    def _cheapest_twins(self, costs: list[Array]) -> NDArray[np.int64]:
        """Of every graph with unseen twins, the one with the best sum of predicted costs.

        Args:
            costs: predictions of all architectures, larger is better, one array an objective.
        """
        worth = np.zeros(len(self.classes))
        for values, cost in zip(np.array(self.values).T[1:], costs, strict=True):
            worth += cost / (values.std() or 1.0)
        ordered = np.where(self.unseen, worth, -np.inf)[self.by_class]
        best = np.maximum.reduceat(ordered, self.class_starts)
        sizes = np.diff(self.class_starts, append=len(ordered))
        places = np.flatnonzero((ordered == np.repeat(best, sizes)) & np.isfinite(ordered))
        chosen = self.by_class[places]
        found: NDArray[np.int64] = chosen[np.diff(self.classes[chosen], prepend=-1) > 0]
        return found

    def _constrained_gains(
        self, mean: Array, deviation: Array, known: Array, limit: float
    ) -> Array:
        """Expected improvement of the first objective times the chance to keep the limit."""
        from scipy.special import ndtr

        within = ndtr((mean[1] - limit) / deviation[1])
        feasible = known[:, 1] >= limit
        if not feasible.any():  # first find any at all
            return np.asarray(within)
        best = known[feasible, 0].max()
        return np.asarray(within * expected_improvement(mean[0], deviation[0], best))

    def _limit(self, session: Session) -> float:
        """The bound as the session tells figures, of which larger ones are better."""
        assert self.bound is not None
        return self.bound * session.orientations[1]

    def _recommend_within_bound(self, session: Session) -> None:
        known = np.array(self.values)
        feasible = np.flatnonzero(known[:, 1] >= self._limit(session))
        # While nothing is within the bound, what comes nearest to it.
        best = feasible[known[feasible, 0].argmax()] if len(feasible) else known[:, 1].argmax()
        session.recommend(self.seen[int(best)])


def expected_improvement(mean: Array, deviation: Array, best: float | Array) -> Array:
    """Of Gaussians over ``best``, where larger is better; shape as all of them together."""
    from scipy.special import ndtr

    score = (mean - best) / deviation
    density = np.exp(-0.5 * score**2) / np.sqrt(2 * np.pi)
    return np.asarray(deviation * (density + score * ndtr(score)))


def expected_hypervolume_improvement(mean: Array, deviation: Array, known: Array) -> Array:
    """Exact, of independent Gaussians, for two objectives of which more is better.

    Under the front lies a staircase; above it, strips as wide as its steps. The improvement is
    the sum over strips of the width a point covers times the height by which it exceeds the
    step, and the expectation of each factor is an expected improvement (Emmerich, Deutz and
    Klinkenberg, CEC 2011). The reference point is the worst value seen or expected.

    Args:
        mean: shape (candidates, 2).
        deviation: shape (candidates, 2).
        known: values of what was evaluated, shape (n, 2).

    Returns:
        Shape (candidates,).
    """
    worst = np.minimum(known.min(axis=0), mean.min(axis=0))
    front = known[nondominated(-known)]
    front = front[np.argsort(-front[:, 1], kind="stable")]  # second falls, first rises
    # What is dominated even at two deviations more than expected has next to no improvement.
    hope = mean + 2 * deviation
    step = np.searchsorted(-front[:, 1], -hope[:, 1], side="right")  # steps at least as good
    heights = np.concatenate([[worst[0]], front[:, 0]])
    open_ = np.flatnonzero(hope[:, 0] > heights[step])
    gains = np.zeros(len(mean))
    if not len(open_):
        return gains
    (m0, m1), (d0, d1) = mean[open_].T[..., None], deviation[open_].T[..., None]
    covered = expected_improvement(m1, d1, np.append(front[:, 1], worst[1]))
    widths = np.diff(covered, axis=1, prepend=0.0)
    gains[open_] = np.einsum("ij,ij->i", widths, expected_improvement(m0, d0, heights))
    return gains


def _sampled_gains(mean: Array, deviation: Array, known: Array, rng: np.random.Generator) -> Array:
    """The mean hypervolume that joint samples add, for the candidates that look best."""
    low, high = known.min(axis=0), known.max(axis=0)
    spread = np.where(high > low, high - low, 1.0)
    front = (high - known[nondominated(-known)]) / spread  # losses
    corner = np.full(known.shape[1], 1.1)
    weights = rng.dirichlet(np.ones(known.shape[1]), size=_SHORTLIST)
    hope = (high - mean - deviation) / spread
    shortlist = np.unique([np.max(hope * weight, axis=1).argmin() for weight in weights])
    noise = rng.standard_normal((_DRAWS, known.shape[1]))
    gains = np.full(len(mean), -np.inf)
    before = hypervolume(front, corner)
    for candidate in shortlist.tolist():
        losses = (high - mean[candidate] - noise * deviation[candidate]) / spread
        gains[candidate] = np.mean(
            [hypervolume(np.vstack([front, point]), corner) - before for point in losses]
        )
    return gains


def _components(known: Array | None) -> Array | None:
    """Principal components of columns, the first of them of the weight that transfer has."""
    if known is None:
        return None
    left, sizes, _ = np.linalg.svd(known - known.mean(axis=0), full_matrices=False)
    scores = (left * sizes)[:, :_COMPONENTS]
    return np.asarray(_TRANSFER_WEIGHT * scores / np.sqrt((scores**2).sum(axis=1).mean()))


def _class_means(features: Array, classes: NDArray[np.int64]) -> Array:
    """The mean features of each class, shape (classes, dimensions)."""
    sums = np.zeros((int(classes.max()) + 1, features.shape[1]))
    np.add.at(sums, classes, features)
    return sums / np.bincount(classes)[:, None]


def _side_by_side(blocks: list[Array]) -> Array:
    """Features of several kinds, each centred and of the same total variance."""
    centred = [block - block.mean(axis=0) for block in blocks]
    return np.hstack([block / np.sqrt((block**2).sum(axis=1).mean()) for block in centred])
