"""A site from a folder of submissions: whole, and with what papers print beside it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import run
from nasbench_suite.submissions import make_submission
from reports.site import read_published, write_site

PUBLISHED = """
[[figures]]
signal = "digits_valid_8"
judged_by = "digits_test_8"
method = "random"
mean = 96.5
std = 0.25
runs = 500
source = "A paper, table 1"
"""


def test_a_site_has_the_report_the_figures_and_the_submissions(tmp_path: Path) -> None:
    folder, site = tmp_path / "board", tmp_path / "site"
    folder.mkdir()
    run("digits", "random", seeds=3, store=tmp_path / "r.sqlite", evaluations=10)
    make_submission(tmp_path / "r.sqlite", folder / "mine.nasbench.json.gz")
    (folder / "bad.nasbench.json.gz").write_bytes(b"no submission")
    (folder / "published.toml").write_text(PUBLISHED)
    merge = write_site(folder, site, title="A board")
    assert (merge.accepted, merge.trials) == (["mine.nasbench.json.gz"], 3)
    assert list(merge.rejected) == ["bad.nasbench.json.gz"]
    page = (site / "index.html").read_text()
    for text in ("<title>A board</title>", "96.50 ± 0.25", "A paper, table 1", "Random search"):
        assert text in page
    assert len(pd.read_csv(site / "leaderboard.csv")) == 1
    copied = site / "submissions" / "mine.nasbench.json.gz"
    assert copied.read_bytes() == (folder / "mine.nasbench.json.gz").read_bytes()
    assert not (site / "submissions" / "bad.nasbench.json.gz").exists()


def test_published_figures_need_a_source(tmp_path: Path) -> None:
    path = tmp_path / "published.toml"
    path.write_text(PUBLISHED.replace("source", "sauce"))
    with pytest.raises(SuiteError, match="source"):
        read_published(path)


def test_published_figures_by_their_old_key(tmp_path: Path) -> None:
    path = tmp_path / "published.toml"
    path.write_text(PUBLISHED)
    new = read_published(path)
    path.write_text(PUBLISHED.replace("judged_by", "report"))
    with pytest.warns(FutureWarning, match="'report' is now 'judged_by'"):
        assert read_published(path) == new
    with pytest.warns(DeprecationWarning, match="judged_by"):
        assert new[0].report == "digits_test_8"
    path.write_text("figures = [1]\n")
    with pytest.raises(SuiteError, match="a figure's"):
        read_published(path)


def test_the_published_figures_of_the_board_can_be_read() -> None:
    board = Path(__file__).resolve().parents[3] / "board" / "published.toml"
    assert all(figure.source and figure.runs for figure in read_published(board))
