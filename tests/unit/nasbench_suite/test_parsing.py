"""Lists as they are written on the command line."""

from __future__ import annotations

import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import (
    check_seeds,
    parse_methods,
    parse_numbers,
    parse_seeds,
    split_names,
)


def test_names() -> None:
    assert split_names("a[x=1,y=2],b") == ["a[x=1,y=2]", "b"]
    assert split_names(" a , b,") == ["a", "b"]
    assert split_names("") == []


def test_methods() -> None:
    assert parse_methods("random, a[x=1,y=z] ,b") == [
        ("random", {}),
        ("a", {"x": "1", "y": "z"}),
        ("b", {}),
    ]
    assert parse_methods("a[data=c[x=1,y=2],z=3],b") == [
        ("a", {"data": "c[x=1,y=2]", "z": "3"}),
        ("b", {}),
    ]


def test_a_slip_in_a_number_of_seeds_does_not_fill_the_memory() -> None:
    with pytest.raises(SuiteError, match=r"^1000000000000 are more than 1,000,000 seeds"):
        check_seeds(10**12)


@pytest.mark.parametrize(
    "text", ["", "a[", "a]b", "a b", "a[x]", "a[x=b[1]", "a[x=1],]", "a[x=]1[]"]
)
def test_what_is_no_list_of_methods_is_told(text: str) -> None:
    with pytest.raises(SuiteError):
        parse_methods(text)


def test_seeds() -> None:
    assert parse_seeds("0-3,7, 9-9") == [0, 1, 2, 3, 7, 9]


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "no list of seeds"), ("a", "0-4"), ("1-b", "0-4"), ("3-1", "write 1-3"), ("-1", "0-4")],
)
def test_what_is_no_list_of_seeds_is_told(text: str, told: str) -> None:
    with pytest.raises(SuiteError, match=told):
        parse_seeds(text)


def test_numbers() -> None:
    assert parse_numbers("3,17, 200") == [3, 17, 200]
    for text in ("", "3,a", "1.5"):
        with pytest.raises(SuiteError, match="whole numbers"):
            parse_numbers(text)
