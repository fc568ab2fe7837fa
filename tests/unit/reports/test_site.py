"""A site from a folder of submissions: whole, and with what papers print beside it."""

from __future__ import annotations

import shlex
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd
import pytest

from nasbench_suite.commands.app import build_app
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two submissions, one in a folder and with a name to quote, one unsound, and figures."""
    place = tmp_path_factory.mktemp("board") / "odd name"
    (place / "deeper").mkdir(parents=True)
    made = {
        "mine.nasbench.json.gz": ("random", "<b>A. Reader</b>"),
        "deeper/it's & more?#1.nasbench.json.xz": ("local-search", ""),
    }
    for name, (method, author) in made.items():
        store = place.parent / f"{method}.sqlite"
        run("digits", method, seeds=3, store=store, evaluations=10)
        make_submission(store, place / name, author=author, note="A note.")
    (place / "bad.nasbench.json.gz").write_bytes(b"no submission")
    (place / "published.toml").write_text(PUBLISHED)
    return place


@pytest.fixture(scope="module")
def site(folder: Path) -> Path:
    site = folder.parent / "made"
    merge = write_site(folder, site, title="A board")
    assert sorted(merge.accepted) == sorted(
        ["mine.nasbench.json.gz", "deeper/it's & more?#1.nasbench.json.xz"]
    )
    assert merge.trials == 6
    assert list(merge.rejected) == ["bad.nasbench.json.gz"]
    return site


class Links(HTMLParser):
    """What a page links to beside itself, and the commands that it prints."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.files: list[str] = []
        self.commands: list[str] = []
        self._within = False
        self.feed(page.read_text())
        self.commands = [one for one in self.commands if one.startswith("nasbench ")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href") or ""
        if tag == "a" and not address.startswith("#"):
            self.files.append(unquote(urlsplit(address).path))
        self._within = tag == "code"
        self.commands += [""] if self._within else []

    def handle_endtag(self, tag: str) -> None:
        self._within = False

    def handle_data(self, data: str) -> None:
        if self._within:
            self.commands[-1] += data


def test_a_site_has_the_report_the_figures_and_the_submissions(folder: Path, site: Path) -> None:
    page = (site / "index.html").read_text()
    for text in ("<title>A board</title>", "96.50 ± 0.25", "A paper, table 1", "Random search"):
        assert text in page
    # After ten evaluations a climb has drawn its beginning alone, as random search did.
    assert page.count("Doubt: copied: ") == 2
    assert "3 trials, confirmed by table, by &lt;b&gt;A. Reader&lt;/b&gt;. A note." in page
    assert len(pd.read_csv(site / "leaderboard.csv")) == 2
    copied = site / "submissions" / "mine.nasbench.json.gz"
    assert copied.read_bytes() == (folder / "mine.nasbench.json.gz").read_bytes()
    assert not (site / "submissions" / "bad.nasbench.json.gz").exists()
    links = Links(site / "index.html").files
    assert set(links) == {
        path.relative_to(site).as_posix()
        for path in site.rglob("*")
        if path.is_file() and path.name != "index.html"
    }


def test_every_printed_command_works_on_what_a_site_offers(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reader who saves the linked files has the figures of the page, and the page itself."""
    offered = Links(site / "index.html")
    for name in offered.files:
        saved = tmp_path / name
        saved.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(site / name, saved)
    monkeypatch.chdir(tmp_path)
    first = "nasbench submit merge submissions --store board.sqlite"
    others = [command for command in offered.commands if command != first]
    assert len(offered.commands) - len(others) == 1
    assert {command.split()[1] for command in others} == {"figure", "leaderboard", "site"}
    for command in (first, *others):
        capsys.readouterr()
        build_app()(shlex.split(command)[1:], standalone_mode=False)
        if command.endswith("csv"):
            assert capsys.readouterr().out == (site / "leaderboard.csv").read_text()
    for path in site.rglob("*"):  # the site that its own command makes
        if path.is_file():
            assert (tmp_path / "site" / path.relative_to(site)).read_bytes() == path.read_bytes()


def test_a_site_can_be_made_of_the_submissions_that_it_holds(site: Path, tmp_path: Path) -> None:
    shutil.copytree(site, tmp_path / "site")
    write_site(tmp_path / "site" / "submissions", tmp_path / "site", title="A board")
    page = tmp_path / "site" / "index.html"
    assert page.read_bytes() == (site / "index.html").read_bytes()


def test_a_site_without_a_title_says_what_it_is_and_its_making_what_it_does(
    folder: Path, tmp_path: Path
) -> None:
    told: list[str] = []
    write_site(folder, tmp_path, tell=told.append)
    assert told[1] == "Verifying deeper/it's & more?#1.nasbench.json.xz (2 of 3)"
    assert told[3:] == ["Writing the page"]
    page = (tmp_path / "index.html").read_text()
    assert "<h1>Leaderboard of neural architecture search</h1>" in page
    assert "odd name" not in page


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
