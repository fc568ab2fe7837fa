"""The embedded images: scikit-learn's copy of the UCI digits, in the benchmark's own split."""

from __future__ import annotations

from functools import cache

import numpy as np

from nasbench_suite.datasets.images import Images, Split
from nasbench_suite.datasets.library import DataSet

TRAIN_IMAGES, VALID_IMAGES, TEST_IMAGES = 800, 400, 597
SPLIT_SEED = 0


class Digits(DataSet):
    """1,797 digits of 8x8 pixels, embedded: 800 to train, 400 to validate, 597 to test."""

    name = "digits"
    summary = "1,797 handwritten digits of 8x8 pixels with 17 grey levels, embedded"

    def read(self) -> Images:
        """The images, grey levels from 0 to 16, in a fixed, stratified split."""
        return _read()


@cache
def _read() -> Images:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    levels, labels = load_digits(return_X_y=True)
    order = np.arange(len(labels))
    train, rest = train_test_split(
        order, train_size=TRAIN_IMAGES, stratify=labels, random_state=SPLIT_SEED
    )
    valid, test = train_test_split(
        rest, train_size=VALID_IMAGES, stratify=labels[rest], random_state=SPLIT_SEED
    )
    whole = Split(levels.reshape(-1, 1, 8, 8).astype(np.uint8), labels.astype(np.int64))
    splits = {"train": whole.take(train), "valid": whole.take(valid), "test": whole.take(test)}
    return Images("digits", splits, tuple("0123456789"))
