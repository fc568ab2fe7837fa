"""A search space."""

from collections.abc import Sequence

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import FiniteProductSpace

WIDTHS = (8, 16, 32, 64)


class LayersSpace(FiniteProductSpace):
    """Four layers, each of one of four widths."""

    name = "layers"
    aliases = ("widths",)
    choices = (4, 4, 4, 4)

    def format(self, form: Sequence[int]) -> str:
        return "-".join(str(WIDTHS[option]) for option in form)

    def parse(self, string: str) -> tuple[int, ...]:
        try:
            options = tuple(WIDTHS.index(int(width)) for width in string.split("-"))
        except ValueError:
            options = ()
        if len(options) != len(self.choices):
            raise SuiteError(f"Malformed layers {string!r}: write four widths, as 8-16-32-64.")
        return options
