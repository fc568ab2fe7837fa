"""A method with a supernet."""

from dataclasses import dataclass

from search_methods.darts import Darts


@dataclass
class ConstantDarts(Darts):
    """DARTS with one learning rate throughout."""

    learning_rate_min: float = 0.025
