"""Random numbers by the identity of what is run.

A generator that belongs to a thing is made of the seed and of what the thing is, never of its place
among others, so that the same seed gives the same result whatever else is run beside it.
"""

from __future__ import annotations

import hashlib

import numpy as np

from nasbench_suite.errors import SuiteError

_WORDS = 4  # of 32 bits each, by which a text enters


def sequence(seed: int, *identity: int | str) -> np.random.SeedSequence:
    """The entropy that belongs to a seed and to what is run with it.

    Whole numbers enter as they are, and a text by the first 128 bits of its SHA-256. NumPy fills
    up with zeros: a seed alone and the same with 0 behind it are one, so that things which are told
    apart by numbers alone need a name as well, unless there is one sort of them.

    Args:
        seed: from 0.
        identity: names and numbers from 0 of what is run, in an order that does not depend on what
            else is.

    Raises:
        SuiteError: the seed is negative.
    """
    if seed < 0:
        raise SuiteError(f"{seed} is no seed: give 0 or more.")
    entropy = [seed]
    for part in identity:
        entropy += _words(part) if isinstance(part, str) else [part]
    return np.random.SeedSequence(entropy)


def check_seed(seed: int, digits: int = 15) -> None:
    """See that a seed is a whole number from 0 that whoever draws by it takes.

    Raises:
        SuiteError: it is negative, or has more digits.
    """
    if not 0 <= seed < 10**digits:
        raise SuiteError(
            f"{seed} is no seed: give a whole number from 0, of {digits} digits at most."
        )


def stream(seed: int, *identity: int | str) -> np.random.Generator:
    """A generator that belongs to a seed and to what is run with it; see ``sequence``."""
    return np.random.default_rng(sequence(seed, *identity))


def _words(text: str) -> list[int]:
    digest = hashlib.sha256(text.encode()).digest()
    return [int(word) for word in np.frombuffer(digest, dtype="<u4")[:_WORDS]]
