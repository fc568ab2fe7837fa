"""What pydantic finds is told in our words: no "Value error,", and what was probably meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import configure


@dataclass
class Settings:
    """Of a method."""

    kind: Literal["latent", "features"] = "latent"
    size: int = 3

    def __post_init__(self) -> None:
        if self.size == 7:
            raise ValueError("GM-NAS has no size 7.")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"kind": "latnt"}, "Unknown value 'latnt' of kind: did you mean 'latent'?"),
        ({"kind": "x"}, "Unknown value 'x' of kind: choose from features, latent."),
        ({"size": "many"}, "size: input should be a valid integer, unable to parse string as an"),
        ({"size": 7}, "GM-NAS has no size 7."),
    ],
)
def test_a_fault_is_told_in_words(settings: dict[str, object], said: str) -> None:
    with pytest.raises(SuiteError) as told:
        configure(Settings, "method 'mine'", settings)
    assert str(told.value).startswith(f"Method 'mine' does not take this: {said}")
