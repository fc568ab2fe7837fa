"""ENAS: a recurrent controller that learns which architectures of a supernet are good."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from nasbench_suite.adding import add_up
from nasbench_suite.parsing import check_counts, check_not_negative, check_portions
from search_methods.rsps import Rsps
from search_methods.supernet.cell import Mix, single_path
from search_methods.supernet.data import SearchData, endless
from search_methods.supernet.network import Supernet

_LSTM_SIZE, _LSTM_LAYERS = 32, 2
_TANH, _TEMPERATURE = 2.5, 5.0
_START = 0.1  # bound of the controller's first weights


@dataclass
class Enas(Rsps):
    """Pham, Guan, Zoph, Le and Dean, *Efficient NAS via Parameter Sharing*, ICML 2018.

    An LSTM draws the operation of one edge after the other. The supernet's weights train one
    architecture drawn by it in every step; after every epoch it is trained by REINFORCE, whose
    reward is the accuracy on one batch of validation images and a little entropy, less a moving
    average (code: D-X-Y/AutoDL-Projects, exps/NAS-Bench-201-algos/ENAS.py and ``Controller``). At
    the end the best of ``candidates`` drawn architectures is returned, by inherited accuracy. 54.30
    / 10.62 / 16.32 % on CIFAR-10, CIFAR-100 and ImageNet16-120 in the table of DrNAS's README.

    Attributes:
        controller_steps: of Adam on the controller after each epoch.
        controller_draws: architectures a step.
        baseline_decay: of the moving average of the reward.
        entropy_weight: in the reward.
        rate_period: epochs in which the weights' rate falls by its cosine, behind which it rises
            again; 0 for all epochs.
    """

    title: ClassVar[str] = "ENAS"
    summary: ClassVar[str] = "A recurrent controller trained by REINFORCE on shared weights."

    architecture_learning_rate: float = 1e-3
    architecture_weight_decay: float = 0.0
    controller_steps: int = 50
    controller_draws: int = 20
    baseline_decay: float = 0.99
    entropy_weight: float = 1e-4
    rate_period: int = 0

    topology_alone: ClassVar[str] = "draws operations here, not edges"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(self.title, self, "controller_steps controller_draws")
        check_portions(self.title, self, "baseline_decay")
        check_not_negative(self.title, self, "entropy_weight rate_period")

    def make_supernet(self, data: SearchData) -> Supernet:
        """A supernet whose cells are drawn edge by edge, and the controller."""
        supernet = super().make_supernet(data)
        self.controller = Controller(*supernet.layouts[0].shape)
        self.controller_optimizer = torch.optim.Adam(
            self.controller.parameters(),
            lr=self.architecture_learning_rate,
            betas=(0.0, 0.999),
            eps=1e-3,
            weight_decay=self.architecture_weight_decay,
        )
        self.baseline: float | None = None
        return supernet

    def set_learning_rate(self) -> None:
        """The cosine of the weights' rate, with a period of its own."""
        progress = 0.5 * (1 + math.cos(math.pi * self.epoch / (self.rate_period or self.epochs)))
        span = self.learning_rate - self.learning_rate_min
        self.weight_optimizer.param_groups[0]["lr"] = self.learning_rate_min + span * progress

    def draw(self) -> list[list[int]]:
        """An architecture from the controller."""
        with torch.no_grad():
            return [self.controller()[2]]

    def train_epoch(self) -> dict[str, float]:
        """An epoch of the weights, then the steps of the controller."""
        losses = super().train_epoch()
        rewards = self.train_controller()
        return {**losses, "reward": rewards}

    def train_controller(self) -> float:
        """REINFORCE on the accuracy of drawn architectures; the mean reward."""
        rewards = []
        valid = endless(self.images.valid, self.batch_size)
        for _ in range(self.controller_steps):
            losses = []
            for _ in range(self.controller_draws):
                log_probability, entropy, choice = self.controller()
                accuracy = self.accuracy(self.single(choice), next(valid)) / 100
                reward = accuracy + self.entropy_weight * float(entropy.detach())
                if self.baseline is None:
                    self.baseline = accuracy
                else:
                    self.baseline -= (1 - self.baseline_decay) * (self.baseline - reward)
                losses.append(-log_probability * (reward - self.baseline))
                rewards.append(reward)
            self.controller_optimizer.zero_grad()
            torch.autograd.backward(torch.stack(losses).mean())
            torch.nn.utils.clip_grad_norm_(self.controller.parameters(), 5.0)
            self.controller_optimizer.step()
        return add_up(rewards) / len(rewards)

    def single(self, choice: list[int]) -> list[Mix]:
        """The mix of one drawn architecture."""
        return [single_path(choice, self.alphas[0].detach())]

    def state(self) -> dict[str, Any]:
        """The controller too."""
        return {
            **super().state(),
            "controller": self.controller.state_dict(),
            "controller_optimizer": self.controller_optimizer.state_dict(),
            "baseline": self.baseline,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what ``state`` gave."""
        super().load_state(state)
        self.controller.load_state_dict(state["controller"])
        self.controller_optimizer.load_state_dict(state["controller_optimizer"])
        self.baseline = state["baseline"]


class Controller(nn.Module):
    """An LSTM that draws the operations of a cell, edge by edge.

    Args:
        edges: of the cell.
        candidates: on every edge.
    """

    def __init__(self, edges: int, candidates: int) -> None:
        super().__init__()
        self.edges = edges
        self.first = nn.Parameter(torch.empty(1, 1, _LSTM_SIZE))
        self.lstm = nn.LSTM(_LSTM_SIZE, _LSTM_SIZE, _LSTM_LAYERS)
        self.embedding = nn.Embedding(candidates, _LSTM_SIZE)
        self.scores = nn.Linear(_LSTM_SIZE, candidates)
        for weight in (
            self.first,
            *(w for name, w in self.lstm.named_parameters() if re.fullmatch("weight_.*_l0", name)),
            self.embedding.weight,
            self.scores.weight,
        ):
            nn.init.uniform_(weight, -_START, _START)

    def forward(self) -> tuple[Tensor, Tensor, list[int]]:
        """Log probability and entropy of a drawn cell, in nats, and its choices."""
        given, memory = self.first, None
        log_probabilities, entropies, choices = [], [], []
        for _ in range(self.edges):
            output, memory = self.lstm(given, memory)
            logits = _TANH * torch.tanh(self.scores(output) / _TEMPERATURE)
            logs = logits.flatten().log_softmax(-1)
            choice = torch.multinomial(logs.detach().exp(), 1)
            choices.append(int(choice))
            log_probabilities.append(logs[choice].sum())
            entropies.append(torch.special.entr(logs.exp()).sum())
            given = self.embedding(choice)[None]
        return torch.stack(log_probabilities).sum(), torch.stack(entropies).sum(), choices
