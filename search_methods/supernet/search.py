"""The bilevel loop that differentiable methods share; a method overrides what its paper changes.

Liu, Simonyan and Yang, *DARTS: Differentiable Architecture Search*, ICLR 2019 (arXiv 1806.09055),
algorithm 1: until converged, take a step in the architecture parameters on validation images, then
one in the weights on training images. Here one step of the method is one epoch of that loop.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from nasbench_suite.errors import SuiteError
from nasbench_suite.networks.devices import check_device, is_cuda, repeatable
from nasbench_suite.parsing import check_counts, check_not_negative, check_portions, check_positive
from nasbench_suite.spaces import SearchSpace, listed
from nasbench_suite.spaces.cells import NONE
from nasbench_suite.spaces.darts import DartsSpace
from nasbench_suite.spaces.topology import TopologySpace
from nasbench_suite.tasks import Method, Session, Task
from nasbench_suite.tasks.method import later
from search_methods.supernet.cell import Mix, MixedCell, discretise, single_path
from search_methods.supernet.darts_space import darts_family
from search_methods.supernet.data import (
    Batch,
    SearchData,
    batches,
    cut_out,
    endless,
    find_search_data,
    load_search_data,
)
from search_methods.supernet.diagnostics import dominant_eigenvalue, record_variances
from search_methods.supernet.drawing import drawing_from
from search_methods.supernet.network import (
    CellOptions,
    Family,
    Supernet,
    make_topology_supernet,
    to_device,
)
from search_methods.supernet.protocols import protocol_settings
from search_methods.supernet.replaying import Replayed

EVALUATION_BATCH = 200
CURVATURE_BATCH = 64  # as in RobustDARTS: a Hessian-vector product costs several passes


@dataclass
class DifferentiableSearch(Method):
    """Gradient steps on a supernet's weights and on its architecture parameters, in turn.

    Not a method by itself but what DARTS and its kin share. Hyper-parameters are those of DARTS
    but for the batch size, which suits the embedded data. The
    architecture recommended after each epoch is recorded without charge.

    Attributes:
        epochs: passes over the training half.
        batch_size: images a step.
        learning_rate: of the weights, by a cosine down to ``learning_rate_min``.
        momentum: of the weights.
        weight_decay: of the weights.
        clip: largest norm of the gradient in the weights.
        architecture_learning_rate: of Adam on the architecture parameters.
        architecture_weight_decay: of Adam on the architecture parameters.
        allow_none: whether ``none`` may be derived. NAS-Bench-201's code lets it, DARTS does not.
        width: channels of the first stage; the embedded benchmark has its own.
        cells: cells a stage; the embedded benchmark has its own. In a DARTS space cells in all,
            of which DARTS has 8.
        data: the images, such as ``cifar10[images=8000,resolution=16]``, or the folder of the
            published files; by default all of the task's data set.
        device: where to compute, such as ``cpu`` or ``cuda``.
        bfloat16: whether the supernet runs under bfloat16 autocast.
        compile: whether the supernet goes through ``torch.compile``.
        cuda_graphs: whether its passes are recorded once and replayed, on a CUDA device.
        eigenvalue_every: after every how many epochs the dominant eigenvalue of the validation
            loss's Hessian in the architecture parameters is logged; 0 for never.
        diagnose_every: after every how many epochs the supernet is looked into: its accuracy, the
            discretisation gap, and the variances of nodes and edges. What is derived and how
            strong the operations are is logged after every epoch.
        inherited: of how many random architectures the accuracy with inherited weights is logged
            at the end.
        protocol: the settings of a paper's code, see ``protocols``; what else is set goes before.
        nesterov: whether the momentum of the weights is Nesterov's.
        weights_first: whether the weights take their step before the architecture does.
        cutout: side of the square that is cut out of training images, as a share of theirs.
        drop_path: the probability that an image loses what an edge carries, in the last epoch; it
            grows linearly from zero, and with it the probability of cutout (R-DARTS).
        architecture_images: ``train``, half of the training images; or ``test``, half of the *test*
            images with all training images for the weights, as NAS-Bench-201's code has it for
            CIFAR-100 and ImageNet16-120.
        selection: ``strength``, or ``perturbation`` by which ``DartsPt`` decides edges.
        tuning: epochs between decisions by perturbation.
    """

    approach: ClassVar[str] = "differentiable"
    packages: ClassVar[tuple[str, ...]] = ("torch",)

    epochs: int = 50
    batch_size: int = 32
    learning_rate: float = 0.025
    learning_rate_min: float = 0.001
    momentum: float = 0.9
    weight_decay: float = 3e-4
    clip: float = 5.0
    architecture_learning_rate: float = 3e-4
    architecture_weight_decay: float = 1e-3
    allow_none: bool = True
    width: int = 16
    cells: int = 5
    data: str = ""
    device: str = "cpu"
    bfloat16: bool = False
    compile: bool = False
    eigenvalue_every: int = 0
    inherited: int = 0
    diagnose_every: int = later(1)
    cuda_graphs: bool = later(False)
    protocol: str = later("")
    nesterov: bool = later(False)
    weights_first: bool = later(False)
    cutout: float = later(0.0)
    drop_path: float = later(0.0)
    architecture_images: Literal["train", "test"] = later("train")
    selection: Literal["strength", "perturbation"] = later("strength")
    tuning: int = later(5)

    # Whether there are architecture parameters: methods that only share weights have none.
    relaxes: ClassVar[bool] = True
    # Why a method has no DARTS space, as the end of a sentence.
    topology_alone: ClassVar[str] = ""
    draws_first: ClassVar[bool] = False

    def __post_init__(self) -> None:
        whose = self.title or type(self).__name__
        check_counts(whose, self, "epochs batch_size width cells diagnose_every tuning")
        check_positive(whose, self, "learning_rate clip")
        check_not_negative(whose, self, "learning_rate_min weight_decay eigenvalue_every inherited")
        check_not_negative(whose, self, "architecture_learning_rate architecture_weight_decay")
        check_portions(whose, self, "momentum cutout drop_path")
        if self.selection == "perturbation" and not self.relaxes:
            raise SuiteError(
                f"{whose} mixes no operations, so that none can be taken out: leave "
                f"selection as it is."
            )
        if self.cuda_graphs and (
            not is_cuda(self.device) or self.compile or self.bfloat16 or self.drop_path
        ):
            raise SuiteError(
                "cuda_graphs=True needs device=cuda, and goes without compile, bfloat16 and "
                "drop_path."
            )

    @classmethod
    def implied(cls, name: str, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """The settings of the protocol that is named."""
        return protocol_settings(str(settings.get("protocol") or ""), name)

    # -- the harness's side --------------------------------------------------------------------

    def refuse(self, task: Task) -> None:
        """Also where the images or the device are missing, or the space has no supernet."""
        super().refuse(task)
        check_device(self.device)
        find_search_data(task.dataset or "", self.data or None)
        self.family_of(task.benchmark.space)

    def start(self, session: Session) -> None:
        """Build the supernet for the session's data set."""
        self.space = session.space
        self.prepare(
            load_search_data(
                session.dataset or "", self.data or None, architecture=self.architecture_images
            ),
            session.rng,
            self.family_of(session.space),
        )

    def family_of(self, space: SearchSpace) -> Family:
        """What makes supernets of a space: of the topology space, or of a DARTS space.

        Raises:
            SuiteError: the space has no supernet, or none that the method searches.
        """
        if isinstance(space, DartsSpace):
            if self.topology_alone:
                raise SuiteError(f"{self.title} {self.topology_alone}: it has no DARTS space.")
            if self.selection == "perturbation":
                raise SuiteError(
                    "Perturbation chooses operations here, not edges: it has no DARTS space."
                )
            return darts_family(space, channels=self.width, cells=self.cells)
        if not isinstance(space, TopologySpace):
            raise SuiteError(
                f"{type(self).__name__} has supernets of nats-tss and of the DARTS spaces alone, "
                f"not of {space.name}."
            )
        return partial(make_topology_supernet, width=self.width, cells=self.cells)

    def step(self, session: Session) -> None:
        """Train for one epoch, and recommend what would be derived now."""
        with self.randomness():
            losses = self.train_epoch()
            self.epoch += 1
            self._diagnose(session, losses)
            session.recommend(self.derive())
            if self.finished and self.inherited:
                self._log_inherited(session)

    @property
    def finished(self) -> bool:
        """Whether all epochs are over, and by perturbation all edges decided.

        One is decided at once, and the last one after the last tuning.
        """
        further = self.tuning * (self.undecided - 1) if self.selection == "perturbation" else 0
        return bool(self.epoch >= self.epochs + further)

    def checkpoint(self) -> bytes:
        """All that changes from epoch to epoch, as ``torch.save`` writes it."""
        file = io.BytesIO()
        torch.save(self.state(), file)
        return file.getvalue()

    def restore(self, state: bytes) -> None:
        """Go on from a checkpoint; tensors alone are read, so no code in it can run."""
        self.load_state(torch.load(io.BytesIO(state), map_location=self.device, weights_only=True))

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds; a method with more state adds to it."""
        decided = {"decided": self.decided} if self.selection == "perturbation" else {}
        return {
            **decided,
            "epoch": self.epoch,
            "alphas": [alpha.detach() for alpha in self.alphas],
            "supernet": self.supernet.state_dict(),
            "weight_optimizer": self.weight_optimizer.state_dict(),
            "architecture_optimizer": self.architecture_optimizer.state_dict(),
            "random": self._random.get_state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what ``state`` gave."""
        self.epoch = int(state["epoch"])
        with torch.no_grad():
            for alpha, saved in zip(self.alphas, state["alphas"], strict=True):
                alpha.copy_(saved)
        self.supernet.load_state_dict(state["supernet"])
        self.weight_optimizer.load_state_dict(state["weight_optimizer"])
        self.architecture_optimizer.load_state_dict(state["architecture_optimizer"])
        self._random.set_state(state["random"].cpu())
        self.decided[:] = state.get("decided", ())

    # -- the search ----------------------------------------------------------------------------

    def prepare(
        self, data: SearchData, rng: np.random.Generator, family: Family | None = None
    ) -> None:
        """Set up a search on some images; ``start`` does it for those of the task.

        Args:
            data: the images.
            rng: from which the search takes its seed.
            family: what makes the supernet of a space; by default of the topology space.
        """
        self.family = family or partial(make_topology_supernet, width=self.width, cells=self.cells)
        self.images = data.to(torch.device(self.device))
        self.epoch = 0
        self.decided: list[int] = []
        self._random = torch.Generator().manual_seed(int(rng.integers(2**63)))
        with self.randomness():
            self.supernet: Supernet = to_device(
                self.make_supernet(self.images), torch.device(self.device)
            )
            self.alphas: list[Tensor] = [
                (1e-3 * torch.randn(layout.shape)).to(self.device).requires_grad_()
                for layout in self.supernet.layouts
            ]
        self._network = self._fast()
        self.weights = list(self.supernet.parameters())
        self.weight_optimizer: torch.optim.Optimizer = self.make_weight_optimizer()
        self.architecture_optimizer: torch.optim.Optimizer = torch.optim.Adam(
            self.alphas,
            lr=self.architecture_learning_rate,
            betas=(0.5, 0.999),
            weight_decay=self.architecture_weight_decay,
        )

    def make_weight_optimizer(self) -> torch.optim.Optimizer:
        """What takes the steps in the weights."""
        return torch.optim.SGD(
            self.weights,
            lr=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            nesterov=self.nesterov,
            foreach=True,
        )

    def make_supernet(self, data: SearchData) -> Supernet:
        """The supernet; methods that change its cells pass other options."""
        return self.family(data, CellOptions())

    def train_epoch(self) -> dict[str, float]:
        """One pass over the training half; mean losses of both halves, in nats.

        By perturbation an edge is decided before every so many of the epochs of tuning, and the
        last one at their end.
        """
        tuned = self.epoch - self.epochs if self.selection == "perturbation" else -1
        if tuned >= 0 and tuned % self.tuning == 0:
            self.decide()
        self.set_learning_rate()
        losses: dict[str, list[float]] = {"train_loss": [], "valid_loss": []}
        valid_batches = endless(self.images.valid, self.batch_size)
        with self.dropped_paths():
            for train in batches(self.images.train, self.batch_size):
                train = self.augment(train)
                valid = self.augment(next(valid_batches))
                if self.weights_first:
                    losses["train_loss"].append(self.update_weights(train))
                    valid_loss = self.update_architecture(train, valid)
                else:
                    valid_loss = self.update_architecture(train, valid)
                    losses["train_loss"].append(self.update_weights(train))
                if valid_loss is not None:
                    losses["valid_loss"].append(valid_loss)
        if tuned == self.tuning * (self.undecided - 1) - 1 and tuned >= 0:
            self.decide()
        means = {name: float(np.mean(values)) for name, values in losses.items() if values}
        if not all(map(math.isfinite, means.values())) or not all(
            bool(alpha.isfinite().all()) for alpha in self.alphas
        ):
            raise SuiteError(
                f"The search diverged in epoch {self.epoch + 1}: its losses or architecture "
                f"parameters are not finite; lower the learning rates."
            )
        return means

    def augment(self, batch: Batch) -> Batch:
        """A batch of training images as the network sees it."""
        images = self.images.augment(batch[0])
        if self.cutout:
            probability = self.annealed(0.0, 1.0) if self.drop_path else 1.0
            images = cut_out(images, round(self.cutout * images.shape[-1]), probability)
        return images, batch[1]

    @contextmanager
    def dropped_paths(self) -> Iterator[None]:
        """Have edges drop what they carry, with the probability of this epoch."""
        cells = [cell for cell in self.supernet.modules() if isinstance(cell, MixedCell)]
        for cell in cells:
            cell.drop_path = self.annealed(0.0, self.drop_path)
        try:
            yield
        finally:
            for cell in cells:
                cell.drop_path = 0.0

    def set_learning_rate(self) -> None:
        """The cosine of the weights' rate, by epoch; a tenth of the first one while tuning."""
        if self.selection == "perturbation" and self.epoch >= self.epochs:
            self.weight_optimizer.param_groups[0]["lr"] = self.learning_rate / 10
            return
        progress = 0.5 * (1 + math.cos(math.pi * self.epoch / self.epochs))
        span = self.learning_rate - self.learning_rate_min
        self.weight_optimizer.param_groups[0]["lr"] = self.learning_rate_min + span * progress

    def annealed(self, first: float, last: float) -> float:
        """What falls or grows linearly from the first epoch to the last, in this epoch."""
        progress = min(self.epoch / max(self.epochs - 1, 1), 1.0)
        return first + (last - first) * progress

    def update_architecture(self, train: Batch, valid: Batch) -> float | None:
        """A step in the architecture parameters on validation images.

        Returns:
            The loss before it, or None if there is no step.
        """
        loss = self.loss(valid, self.mixes())
        objective = loss + self.penalty()
        self.take_step(self.architecture_optimizer, self.alphas, objective)
        return loss.item()

    def update_weights(self, train: Batch) -> float:
        """A step in the weights on training images; the loss before it."""
        with torch.no_grad():
            mixes = self.mixes()
        loss = self.loss(train, mixes)
        self.take_step(self.weight_optimizer, self.weights, loss)
        return loss.item()

    def relax(self, alpha: Tensor) -> Tensor:
        """Architecture parameters to the weights of the candidates: softmax (DARTS, equation 2)."""
        return F.softmax(alpha, dim=-1)

    def relaxation(self) -> list[Mix]:
        """How the candidates are mixed, as long as no edge is decided."""
        return [Mix(self.relax(alpha)) for alpha in self.alphas]

    def mixes(self) -> list[Mix]:
        """How the candidates are mixed in the next forward pass."""
        mixes = self.relaxation()
        return [with_decided(mix, self.decided) for mix in mixes] if self.decided else mixes

    def _told_strengths(self) -> list[Tensor]:
        """The strengths whose entropy is logged: an edge that is decided has none."""
        strengths = self.strengths()
        if not self.decided:
            return strengths
        return [with_decided(Mix(one), self.decided).operations for one in strengths]

    def penalty(self) -> Tensor | float:
        """What is added to the validation loss in the architecture's step."""
        return 0.0

    def strengths(self) -> list[Tensor]:
        """How strong each candidate is when an architecture is derived; none has a gradient."""
        return [F.softmax(alpha.detach(), dim=-1) for alpha in self.alphas]

    def choices(self) -> list[list[int]]:
        """The strongest candidate of every edge, or the one decided; for each kind of cell."""
        chosen = [
            discretise(strength, layout, self.allow_none)
            for strength, layout in zip(self.strengths(), self.supernet.layouts, strict=True)
        ]
        for edge, choice in enumerate(self.decided):
            if choice >= 0:
                chosen[0][edge] = choice
        return chosen

    @property
    def undecided(self) -> int:
        """Number of edges that perturbation has to decide."""
        return self.supernet.layouts[0].shape[0]

    def decide(self) -> None:
        """Give one undecided edge, drawn at random, the operation that is missed most.

        Each candidate in turn is taken out of the mixture of that edge, and the one without which
        validation accuracy is lowest becomes its operation (DARTS-PT, algorithm 1).
        """
        self.decided = self.decided or [-1] * self.undecided
        open_edges = [edge for edge, choice in enumerate(self.decided) if choice < 0]
        edge = open_edges[int(torch.randint(len(open_edges), ()))]
        with torch.no_grad():
            (mix,) = self.mixes()
        accuracies = {}
        for operation, name in enumerate(self.supernet.layouts[0].candidates[edge]):
            if name == NONE and not self.allow_none:
                continue
            without = mix.operations.clone()
            without[edge, operation] = 0.0
            accuracies[operation] = self.accuracy([replace(mix, operations=without)])
        self.decided[edge] = min(accuracies, key=accuracies.__getitem__)  # the first of equals

    def derive(self) -> Sequence[int]:
        """The architecture that the search would return now, as the vector of its choices."""
        choices = self.choices()
        if len(choices) == 1:  # one kind of cell, as in the topology space
            return choices[0]
        assert isinstance(self.space, DartsSpace)
        return self.space.from_edge_choices(choices)

    def take_step(
        self, optimizer: torch.optim.Optimizer, parameters: Sequence[Tensor], loss: Tensor
    ) -> None:
        """One step of an optimizer down ``loss``, in the parameters given alone."""
        optimizer.zero_grad()
        torch.autograd.backward(loss, inputs=list(parameters))
        if optimizer is self.weight_optimizer:
            torch.nn.utils.clip_grad_norm_(parameters, self.clip, foreach=True)
        optimizer.step()

    def loss(self, batch: Batch, mixes: Sequence[Mix], *, twice: bool = False) -> Tensor:
        """Mean cross-entropy in nats.

        Args:
            batch: images and their labels.
            mixes: of the supernet.
            twice: whether it will be differentiated twice, which no compiled or recorded
                network can.
        """
        images, labels = batch
        images = images.contiguous(memory_format=torch.channels_last)
        network = self.supernet if twice else self._network
        with self._precision():
            return F.cross_entropy(network(images, mixes), labels)

    def accuracy(self, mixes: Sequence[Mix], data: Batch | None = None) -> float:
        """Accuracy in percent, by default on the validation half, with the weights as they are."""
        images, labels = data or self.images.valid
        right = 0
        with torch.no_grad(), self._precision():
            for x, y in zip(
                torch.split(images, EVALUATION_BATCH),
                torch.split(labels, EVALUATION_BATCH),
                strict=True,
            ):
                scores = self.supernet(x.contiguous(memory_format=torch.channels_last), mixes)
                right += int((scores.argmax(1) == y).sum())
        return 100.0 * right / len(labels)

    def discrete_mixes(self, choices: Sequence[Sequence[int]] | None = None) -> list[Mix]:
        """The mixes of one architecture, by default of the derived one."""
        chosen = self.choices() if choices is None else choices
        return [
            single_path(c, alpha.detach()) for c, alpha in zip(chosen, self.alphas, strict=True)
        ]

    def randomness(self) -> AbstractContextManager[None]:
        """Let torch draw from the search's own stream, on one thread, and leave no trace."""
        return drawing_from(self._random, self.device)

    # -- within --------------------------------------------------------------------------------

    def _fast(self) -> Callable[[Tensor, Sequence[Mix]], Tensor]:
        """The supernet as the loss goes through it."""
        if not self.cuda_graphs:
            return torch.compile(self.supernet) if self.compile else self.supernet
        with repeatable(self.device):  # draws nothing, so that the search is the same without
            return Replayed(self.supernet, (self.batch_size, *self.images.train[0].shape[1:]))

    def _precision(self) -> AbstractContextManager[Any]:
        kind = self.device.split(":")[0]
        return torch.autocast(kind, dtype=torch.bfloat16, enabled=self.bfloat16)

    def _diagnose(self, session: Session, losses: dict[str, float]) -> None:
        if not self.relaxes:
            session.log(self.epoch, **losses)
            return
        with torch.no_grad():
            mixes = self.mixes()
        session.log(
            self.epoch,
            **losses,
            alpha=np.concatenate([a.numpy(force=True).ravel() for a in self.alphas]),
            entropy=float(np.mean([entropy(strength) for strength in self._told_strengths()])),
        )
        if self.epoch % self.diagnose_every == 0:
            self._look_inside(session, mixes)
        if self.reads_eigenvalue:
            session.log(self.epoch, dominant_eigenvalue=self.eigenvalue())

    def _look_inside(self, session: Session, mixes: Sequence[Mix]) -> None:
        supernet_accuracy = self.accuracy(mixes)
        images = self.images.valid[0][:EVALUATION_BATCH]
        with torch.no_grad(), record_variances(self.supernet) as variances:
            self.supernet(images.contiguous(memory_format=torch.channels_last), mixes)
        session.log(
            self.epoch,
            supernet_accuracy=supernet_accuracy,
            discretisation_gap=supernet_accuracy - self.accuracy(self.discrete_mixes()),
            edge_variance=variances.edge_values(),
            node_variance=variances.node_values(),
        )

    @property
    def reads_eigenvalue(self) -> bool:
        """Whether the dominant eigenvalue is read after the epoch that has just ended."""
        return bool(self.eigenvalue_every) and self.epoch % self.eigenvalue_every == 0

    def eigenvalue(self) -> float:
        """The largest eigenvalue of the Hessian of the validation loss in α (Zela et al.)."""
        images, labels = self.images.valid
        batch = images[:CURVATURE_BATCH], labels[:CURVATURE_BATCH]
        state = torch.get_rng_state()

        def loss() -> Tensor:
            torch.set_rng_state(state)  # the same sample of the relaxation in every product
            return self.loss(batch, self.mixes(), twice=True)

        return dominant_eigenvalue(loss, self.alphas)

    def _log_inherited(self, session: Session) -> None:
        """Accuracy with inherited weights of random architectures, drawn without repetition."""
        rng = np.random.default_rng(int(torch.randint(2**62, (1,))))
        space = listed(session.space)
        indices = rng.choice(space.size, min(self.inherited, space.size), False)
        accuracies = [
            self.accuracy(self.discrete_mixes([space.vector(int(index))])) for index in indices
        ]
        session.log(self.epoch, inherited_index=indices, inherited_accuracy=accuracies)


def with_decided(mix: Mix, decided: Sequence[int]) -> Mix:
    """A mixture with weight one for the operation of each edge that is decided (not -1)."""
    chosen = torch.tensor(decided, device=mix.operations.device)
    rows = (chosen >= 0)[:, None]
    hard = F.one_hot(chosen.clamp(min=0), mix.operations.shape[1]).to(mix.operations)
    active = mix.active
    if active is not None:
        active = np.where(rows.numpy(force=True), hard.numpy(force=True) > 0, active)
    constants = mix.constants
    if constants is not None:
        constants = constants.masked_fill(rows[:, 0], 0.0)
    operations = torch.where(rows, hard, mix.operations)
    return replace(mix, operations=operations, active=active, constants=constants)


def entropy(strength: Tensor) -> float:
    """Mean entropy over edges, in nats."""
    return float(torch.special.entr(strength).sum(-1).mean())
