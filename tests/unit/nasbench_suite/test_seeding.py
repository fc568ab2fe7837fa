"""Streams of random numbers by identity."""

from __future__ import annotations

import hashlib

import numpy as np

from nasbench_suite.seeding import sequence, stream


def draw(*identity: int | str) -> list[int]:
    return stream(*identity).integers(2**63, size=4).tolist()  # type: ignore[arg-type]


def test_numbers_enter_as_they_are() -> None:
    """Bit for bit as NumPy takes them, on which published figures rest."""
    for identity in (5,), (5, 3), (0, 16, 2), (2**40, 1):
        expected = np.random.default_rng(identity).integers(2**63, size=4).tolist()
        assert draw(*identity) == expected
    assert draw(7) == np.random.default_rng(7).integers(2**63, size=4).tolist()
    children = [child.generate_state(2).tolist() for child in sequence(7).spawn(2)]
    assert children == [c.generate_state(2).tolist() for c in np.random.SeedSequence(7).spawn(2)]


def test_a_text_enters_by_its_hash() -> None:
    """As computed here from the hexadecimal digest, byte by byte."""
    digest = hashlib.sha256(b"s2").hexdigest()
    words = [
        int("".join(reversed([digest[at : at + 8][n : n + 2] for n in range(0, 8, 2)])), 16)
        for at in range(0, 32, 8)
    ]
    assert (
        draw(1, "s2", 4) == np.random.default_rng([1, *words, 4]).integers(2**63, size=4).tolist()
    )


def test_what_differs_has_a_stream_of_its_own() -> None:
    identities = [(0,), (1,), (0, "s1"), (0, "s2"), (1, "s1"), (0, "s1", "s2"), (0, "s2", "s1")]
    assert len({tuple(draw(*identity)) for identity in identities}) == len(identities)
