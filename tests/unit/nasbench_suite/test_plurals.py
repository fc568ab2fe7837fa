"""One of a thing is not told as several: ``1 seed`` and not ``1 seeds``."""

from __future__ import annotations

import re
from pathlib import Path

from conftest import Command

_PLURAL = re.compile(r"(?<![\d.,/-])1 (?!is |as |was |has |less |across |plus |this )[a-z]{3,}s\b")


def test_one_of_a_thing_is_told_as_one(nasbench: Command, tmp_path: Path) -> None:
    store = tmp_path / "r.sqlite"
    words = ("--methods", "random", "--seeds", "0", "--evaluations", "1", "--store", store)
    objectives = ("--objectives", "flops")
    calls = [
        *(["run", *words], ["run", *words, *objectives]),
        *([name, store] for name in ("leaderboard", "robustness", "fronts", "table")),
        *(["store", verb, store] for verb in ("list", "verify", "failures")),
        ["store", "backup", store, tmp_path / "b.sqlite"],
        ["store", "merge", store, "-o", tmp_path / "m.sqlite"],
        ["store", "export", store, tmp_path / "s.csv"],
        ["store", "remove", store, "--seeds", "0"],
        *(
            ["export", tmp_path / "e.csv", "--store", store, "--what", what]
            for what in ("trials", "evaluations", "fronts")
        ),
        ["report", store, "-o", tmp_path / "r.html"],
        ["check", "--store", store, "--baseline", tmp_path / "b.json", "--save"],
        ["submit", "make", tmp_path / "s.nasbench.json.gz", "--store", store],
        ["submit", "verify", tmp_path / "s.nasbench.json.gz"],
        ["data", "info", "digits"],
    ]
    for call in calls:
        ended = nasbench(*call)
        assert ended.code == 0, (call, ended.err)
        found = _PLURAL.findall(ended.out + ended.err)
        assert not found, (call, found)
    page = re.sub(r"<(script|style).*?</\1>", "", (tmp_path / "r.html").read_text(), flags=re.S)
    assert not _PLURAL.findall(re.sub(r"<[^>]*>", " ", page))
