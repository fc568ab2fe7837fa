"""The scores in ``board/`` are those that the suite computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nasbench_suite.proxies import Batch, score
from nasbench_suite.spaces import load_space

KEPT = Path(__file__).resolve().parents[3] / "board" / "proxies-cifar10.parquet"
# They see of the images but how many there are, of what shape and in how many classes.
SHAPE_ALONE = ("params", "flops", "l2-norm", "synflow", "zen")


@pytest.mark.parametrize("row", [0, 4711])
@pytest.mark.parametrize("name", SHAPE_ALONE)
def test_kept_scores_are_computed_again(name: str, row: int) -> None:
    """With seed 0, as `nasbench proxies compute --batch-size 32` has it on CIFAR-10."""
    kept = pd.read_parquet(KEPT, columns=["arch_str", name]).iloc[row]
    images = Batch("made", np.zeros((32, 3, 32, 32), np.float32), np.arange(32) % 10, 10)
    found = score(name, load_space("nats-tss"), kept["arch_str"], batch=images)
    assert found == pytest.approx(kept[name], rel=1e-4)


def test_every_cell_without_dead_branches_has_scores() -> None:
    kept = pd.read_parquet(KEPT)
    assert len(kept) == kept["arch_str"].nunique() == 9445
    scores = kept[[name for name in kept if name + "_seconds" in kept]]
    assert scores.shape[1] == 12
    assert not scores.isna().any(axis=None)
