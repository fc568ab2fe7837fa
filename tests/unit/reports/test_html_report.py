"""The HTML report: complete, self-contained, safe, and usable in a real browser."""

from __future__ import annotations

import html
import io
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from nasbench_suite import leaderboard
from nasbench_suite.analysis.leaderboard import results_leaderboard
from nasbench_suite.analysis.results import Results, one_task, read_results
from nasbench_suite.benchmarks import Benchmark, load_benchmark
from nasbench_suite.commands.app import build_app
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import run
from nasbench_suite.tasks import Method, Session
from reports.figures.attainment import attainment, attainment_data
from reports.html.explorer import explorer_panel
from reports.html.generative import generative_table, read_generative
from reports.html.panels import Section, all_panels
from reports.html.report import _choices, write_report
from reports.labels import own_labels, present
from reports.tables.rendering import Table, leaderboard_sheet
from search_methods.regularized_evolution import RegularizedEvolution

EVIL = "<script>alert(1)</script>"


@dataclass
class Evil(Method):
    """A method whose name is markup; it fails on odd seeds."""

    def step(self, session: Session) -> None:
        if session.seed % 2:
            raise RuntimeError("a slip")
        session.evaluate(session.space.sample(session.rng))


@pytest.fixture(scope="module")
def store(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "r.sqlite"
    evolution = ("evolution", RegularizedEvolution(population_size=10, sample_size=5))
    methods = ["random", "local-search", evolution, (EVIL, Evil())]
    for evaluations in (30, 60):
        run(toy, methods, seeds=range(6), store=path, evaluations=evaluations)
    return path


@pytest.fixture(scope="module")
def page(store: Path) -> Path:
    write_report(store, store.with_name("report.html"), title="A & B")
    return store.with_name("report.html")


class Page(HTMLParser):
    """Tags with their attributes, and the text of some of them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("td", "pre", "code", "title", "th", "option"):
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for tag in self._open:
            self.texts[tag][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def parsed(page: Path) -> Page:
    return Page(page.read_text())


# -- the file --------------------------------------------------------------------------------------


def test_nothing_is_asked_of_the_network(page: Path, parsed: Page) -> None:
    for tag, attributes in parsed.tags:
        for name in ("src", "href", "xlink:href", "action", "srcset", "data"):
            value = attributes.get(name) or ""
            assert value.startswith(("#", "data:")) or not value, (tag, name, value)
    assert not parsed.all("link")
    assert "@import" not in page.read_text()
    (policy,) = [meta for meta in parsed.all("meta") if meta.get("http-equiv")]
    assert str(policy["content"]).startswith("default-src 'none'")


def test_names_are_text_and_never_markup(page: Path, parsed: Page) -> None:
    assert EVIL not in page.read_text()
    assert any(EVIL in text for text in parsed.texts["td"])
    assert parsed.texts["title"] == ["A & B"]
    assert len(parsed.all("script")) == 1


def test_the_board_is_the_leaderboard(store: Path, parsed: Page) -> None:
    rows = leaderboard(store)
    shown = present(read_results(store)).shown
    methods = [shown[method] for method in rows["method"]]
    named = [a for a in parsed.all("tr") if "data-method" in a]
    board = named[len(shown) :]  # after the scores over all tasks
    assert [row["data-method"] for row in board] == methods
    values = [float(a["data-value"]) for a in parsed.all("td") if a.get("data-value")]
    for column in ("mean", "iqm", "low", "regret"):
        assert set(rows[column].dropna()) <= set(values)
    assert sum("best" in str(row.get("class")) for row in board) == rows["best"].sum()


def test_identifiers_are_unique_and_references_lead_somewhere(page: Path, parsed: Page) -> None:
    names = [a["id"] for _, a in parsed.tags if a.get("id")]
    assert len(names) == len(set(names))
    for reference in re.findall(r'(?:url\(#|href="#|labelledby=")([^")]+)', page.read_text()):
        assert reference in names


def test_every_figure_has_words_and_data(parsed: Page) -> None:
    figures = parsed.all("figure")
    assert len(figures) == 3 + 2 * 2
    drawings = [a for a in parsed.all("div") if a.get("class") == "drawing"]
    assert all(a["role"] == "img" and len(str(a["aria-label"])) > 20 for a in drawings)
    for text in parsed.texts["pre"]:
        assert len(pd.read_csv(io.StringIO(text))) >= 3


def test_every_printed_command_works_and_draws_the_numbers_of_the_page(
    store: Path, parsed: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = [text for text in parsed.texts["code"] if text.startswith("nasbench ")]
    drawn = [command for command in commands if command.startswith("nasbench figure")]
    assert len(drawn) == len(parsed.all("figure")) == len(parsed.texts["pre"])
    assert {command.split()[1] for command in commands} == {"figure", "leaderboard", "report"}
    shutil.copy(store, tmp_path / store.name)
    monkeypatch.chdir(tmp_path)
    for command in commands:
        words = shlex.split(command)[1:]
        if command in drawn:
            words += ["--data", "drawn.csv"]
        build_app()(words, standalone_mode=False)
        if command not in drawn:
            continue
        assert (tmp_path / words[words.index("--output") + 1]).exists()
        shown = pd.read_csv(io.StringIO(parsed.texts["pre"][drawn.index(command)]))
        drawn_now = pd.read_csv(tmp_path / "drawn.csv")
        pd.testing.assert_frame_equal(drawn_now, shown, rtol=1e-9, check_dtype=False)


def test_versions_and_failures_are_told(page: Path) -> None:
    text = page.read_text()
    assert "nasbench-suite" in text
    assert "SHA-256" in text
    assert "Trials that failed" in text
    assert "numpy" in text


def test_what_the_leaderboard_says_of_its_tasks_the_report_says_too(
    toy: Benchmark, tmp_path: Path
) -> None:
    """Methods that are one, and settings that cannot act; once, with the tasks that it is so on."""
    store = tmp_path / "r.sqlite"
    methods = ["random", RegularizedEvolution(population_size=20, sample_size=5), "local-search"]
    for evaluations in (15, 18, 30):
        run(toy, methods, seeds=range(3), store=store, evaluations=evaluations)
    results = present(read_results(store))
    sheet = leaderboard_sheet(results, results_leaderboard(results))
    said = {note for table in sheet.tables for note in table.notes}
    assert sum("here they are one method" in note for note in said) == 1
    write_report(store, tmp_path / "r.html")
    page = html.unescape((tmp_path / "r.html").read_text())
    for note in said:
        assert page.count(note) == 1
    one, other, _ = results.names.values()
    assert f"{one}; {other}: Random search and Regularized evolution" in page


def test_a_panel_is_a_function_of_the_results(store: Path, tmp_path: Path) -> None:
    def panel(results: Results) -> Section | None:
        return Section("mine", "My panel", f"{len(results.trials)} trials")

    def silent(results: Results) -> Section | None:
        return None

    write_report(store, tmp_path / "r.html", panels=[*all_panels()[:1], panel, silent])
    text = (tmp_path / "r.html").read_text()
    assert "My panel" in text
    assert f"{len(read_results(store).trials)} trials" in text


@pytest.fixture(scope="module")
def fronts(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fronts") / "r.sqlite"
    run(toy, "random", seeds=range(3), store=path, evaluations=20)
    for metric in ("toy_train_time_1", "toy_train_time_9"):
        run(toy, "random,nsga2", seeds=range(3), store=path, evaluations=60, objectives=[metric])
    return path


def test_a_panel_of_somebody_that_fails_costs_its_section(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "panels-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: panels\nVersion: 1.0\n")
    points = "failing = broken_panels:fails\nnumber = broken_panels:number\nnone = broken_panels:X"
    (info / "entry_points.txt").write_text(f"[nasbench_suite.panels]\n{points}\n")
    text = "def fails(results): raise KeyError('<b>')\ndef number(results): return 7\n"
    (tmp_path / "broken_panels.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    write_report(store, tmp_path / "r.html", panels=all_panels())
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "(broken_panels:fails) fails: KeyError: &#39;&lt;b&gt;&#39;." in page
    assert "(broken_panels:number) fails: TypeError: it makes int, no Section." in page
    assert "(broken_panels:X) cannot be imported" in page


def test_fronts_have_a_panel_and_a_filter(fronts: Path, page: Path, tmp_path: Path) -> None:
    write_report(fronts, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    parsed = Page(text)
    keys = [str(figure["id"]) for figure in parsed.all("figure")]
    assert sum(key.endswith("attainment") for key in keys) == 2
    offered = set(parsed.texts["option"])
    assert {"training time after 1 epoch", "training time after 9 epochs", "none"} <= offered
    assert "Pareto fronts" in text
    assert "Pareto fronts" not in page.read_text()


def test_attainment_is_drawn_on_the_axes_given(fronts: Path) -> None:
    results = read_results(fronts)
    several = [name for key, name in results.names.items() if results.tasks[key].measure]
    alone = one_task(results, several[0])
    ax = Figure().subplots()
    assert attainment(alone, ax=ax) is ax
    lines = {str(line.get_label()): line for line in ax.get_lines()}
    assert set(lines) == {"true front", "Random search", "NSGA-II"}
    data = attainment_data(present(alone))
    for name, line in lines.items():
        times, accuracies = line.get_data()
        points = data[(data["method"] == name) & data["share"].isin((0.5, 1.0))]
        assert set(times) == set(points["x"])
        # In half the searches nothing as fast is better than the line says.
        assert (np.diff(accuracies) >= 0).all()
    with pytest.raises(SuiteError, match="one task"):
        attainment(results)


def generative_file(folder: Path, **changes: Any) -> Path:
    rows = [
        {"model": model, "seed": seed, "greedy_string": greedy, "valid_unmasked": 0.5, "kl": kl}
        for model, greedy, kl in (("mine", 0.25, 20.0), (EVIL, 1.0, 30.0))
        for seed in range(2)
    ]
    rows[0] |= {"greedy_string": 0.75, "more": "unknown"} | changes
    path = folder / "vae.json"
    path.write_text(json.dumps(rows))
    return path


def test_generative_models_have_a_panel(store: Path, tmp_path: Path) -> None:
    path = generative_file(tmp_path)
    write_report(store, tmp_path / "r.html", generative=path)
    text = (tmp_path / "r.html").read_text()
    parsed = Page(text)
    cells = parsed.texts["td"]
    start = cells.index("mine")
    assert cells[start : start + 5] == ["mine", "2", "50.00 ± 35.36", "50.00 ± 0.00", "20.0 ± 0.0"]
    assert "generative-dots" in [figure["id"] for figure in parsed.all("figure")]
    assert "mine: greedy 50.0 %, valid, no mask 50.0 %" in text
    assert "--generative vae.json" in text
    assert "<script>alert" not in text
    table = generative_table(read_generative(path))
    assert table.columns == ("model", "seeds", "greedy", "valid, no mask", "KL (nats)")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "not JSON"),
        ("{}", "not a list"),
        ("[]", "not a list"),
        ('[{"seed": 0}]', "no 'model'"),
        ('[{"model": "a", "seed": 0}]', "none of the figures"),
        ('[{"model": "a", "seed": 0, "valid": "most"}]', "not a number"),
        ('[{"model": "a", "seed": 0, "valid": 99.5}]', "shares, not percent"),
    ],
)
def test_other_files_are_no_figures_of_models(content: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "vae.json").write_text(content)
    with pytest.raises(SuiteError, match=why):
        read_generative(tmp_path / "vae.json")


def test_missing_figures_of_a_seed_are_left_out(tmp_path: Path) -> None:
    rows = read_generative(generative_file(tmp_path, valid_unmasked=None))
    assert generative_table(rows).rows[0][3] == "50.00"
    with pytest.raises(SuiteError, match="cannot be read"):
        read_generative(tmp_path / "absent.json")


def test_a_single_trial_is_a_report_too(toy: Benchmark, tmp_path: Path) -> None:
    store = tmp_path / "one.sqlite"
    run(toy, "random", seeds=[0], store=store, evaluations=5)
    write_report(store, tmp_path / "r.html")
    assert Page((tmp_path / "r.html").read_text()).all("figure")


def test_failures_alone_are_a_report_without_figures(toy: Benchmark, tmp_path: Path) -> None:
    store = tmp_path / "failed.sqlite"
    run(toy, [("evil", Evil())], seeds=[1, 3], store=store, evaluations=5)
    write_report(store, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    assert "Trials that failed: evil (2)." in text
    assert not Page(text).all("figure")


def test_equal_results_give_equal_pages(store: Path, page: Path, tmp_path: Path) -> None:
    again = tmp_path / "report.html"
    write_report(store, again, title="A & B")
    assert again.read_bytes() == page.read_bytes()


def test_what_cannot_be_written_is_refused(store: Path, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="no folder"):
        write_report(store, tmp_path / "no" / "r.html")
    with pytest.raises(SuiteError, match="no results file"):
        write_report(tmp_path / "none.sqlite", tmp_path / "r.html")
    assert list(tmp_path.iterdir()) == []


# -- in a browser ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("chromium and chromedriver are not on this machine")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run"),
        *("disable-background-networking", "disable-component-update", "disable-sync"),
        f"user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    opened = webdriver.Chrome(options=options, service=service)
    yield opened
    opened.quit()


@pytest.fixture
def tab(browser: Any, page: Path) -> Any:
    browser.set_window_size(1300, 900)
    browser.get(page.as_uri())
    return browser


def column(tab: Any, number: int) -> list[str]:
    script = """
        return [...document.querySelectorAll("#board tbody tr[data-method]")]
            .filter((row) => !row.hidden && row.closest("tbody").matches("#board thead + tbody"))
            .map((row) => row.cells[arguments[0]])
            .map((cell) => cell.dataset.value ?? cell.innerText)
    """
    return list(tab.execute_script(script, number))


def press(tab: Any, element: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    element.send_keys(Keys.ENTER)


def test_headings_sort_by_the_keyboard(tab: Any) -> None:
    """Within each task; the first press puts the best first, whichever way that is."""
    heading = tab.find_elements("css selector", "#board th button")[2]
    assert heading.text == "IQM"
    press(tab, heading)
    values = [float(value) for value in column(tab, 2)]
    assert values == sorted(values, reverse=True)
    cell = tab.find_elements("css selector", "#board th")[2]
    assert cell.get_attribute("aria-sort") == "descending"
    press(tab, heading)
    values = [float(value) for value in column(tab, 2)]
    assert values == sorted(values)
    assert cell.get_attribute("aria-sort") == "ascending"
    press(tab, tab.find_elements("css selector", "#board th button")[5])
    regrets = [float(value) for value in column(tab, 5)]
    assert regrets == sorted(regrets)
    assert len(tab.find_elements("css selector", "#board th[aria-sort]")) == 1


def test_missing_figures_sort_last(tab: Any) -> None:
    tab.execute_script(
        "const cell = document.querySelector('#board tr[data-method]').cells[2];"
        "delete cell.dataset.value; cell.textContent = '-'"
    )
    heading = tab.find_elements("css selector", "#board th button")[2]
    for _ in range(2):
        press(tab, heading)
        assert column(tab, 2)[-1] == "-"


def test_filters_offer_names_that_people_read_and_tell_equal_ones_apart(fronts: Path) -> None:
    task = next(task for task in read_results(fronts).tasks.values() if task.measure)
    names = ["nas201", "mnasnet", "nas201-latency"]
    assert _choices("benchmark", [(task, name) for name in names], own_labels()) == {
        "mnasnet": "Accel-NASBench",
        "nas201": "NAS-Bench-201 (nas201)",
        "nas201-latency": "NAS-Bench-201 (nas201-latency)",
    }
    (first, second) = (task.measure or {})["objectives"]
    measured = task.model_copy(
        update={"measure": {"objectives": [first, {**second, "device": "titan_rtx_32"}]}}
    )
    offered = _choices("device", [(measured, "titan_rtx_32")], own_labels())
    assert offered == {"titan_rtx_32": "Titan RTX, batch 32"}


def test_filters_hide_rows_and_figures_and_say_so(tab: Any) -> None:
    from selenium.webdriver.support.ui import Select

    shown = tab.find_element("id", "shown")
    assert shown.text == "8 of 8 rows"
    Select(tab.find_element("name", "budget")).select_by_visible_text("30 evaluations")
    assert shown.text == "4 of 8 rows"
    figures = [f for f in tab.find_elements("css selector", "#tasks figure") if f.is_displayed()]
    assert len(figures) == 2
    tab.find_element("name", "method").send_keys("EVOL")
    assert shown.text == "1 of 8 rows"
    tab.find_element("css selector", "button[type=reset]").click()
    assert tab.execute_async_script("setTimeout(arguments[0], 50)") is None
    assert shown.text == "8 of 8 rows"


def test_the_address_keeps_the_filters_and_figures_follow_them(tab: Any, page: Path) -> None:
    drawn = """
        const parts = [...document.querySelectorAll("#tasks [id]")]
            .filter((part) => /-m\\d+\\.\\d+$/.test(part.id));
        return [parts.length, parts.filter((part) => part.style.display !== "none").length]
    """
    tab.find_element("name", "method").send_keys("local")
    assert tab.current_url.endswith("#?method=local")
    every, left = tab.execute_script(drawn)
    assert 0 < left < every
    tab.get("about:blank")
    tab.get(page.as_uri() + "#?method=local&budget=30+evaluations")
    assert tab.find_element("id", "shown").text == "1 of 8 rows"


@contextmanager
def emulated(tab: Any, width: int, media: str = "") -> Iterator[None]:
    """A window of that many pixels, or paper."""
    tab.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media})
    tab.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 700},
    )
    try:
        yield
    finally:
        tab.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        tab.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.mark.parametrize("width", [390, 768, 1366, 1920])
def test_the_board_fits_or_keeps_its_first_column(tab: Any, width: int) -> None:
    with emulated(tab, width):
        whole = tab.execute_script("return document.documentElement.scrollWidth")
        assert whole <= width
        ends = """
            const region = document.querySelector("#board").closest(".scroll");
            region.scrollLeft = 10000;
            const row = document.querySelector("#board tr[data-method]");
            const place = (number) => row.cells[number].getBoundingClientRect();
            const ends = [place(0).left, place(10).right];
            region.scrollLeft = 0;
            return [...ends, row.cells[2].getBoundingClientRect().right]
        """
        first, last, score = tab.execute_script(ends)
        assert first >= 0  # the method stays in sight
        assert last <= width + 1
        assert score <= width  # and the score is there without scrolling


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results file of two objectives, whose table is at hand."""
    path = tmp_path_factory.mktemp("several") / "several.sqlite"
    methods = ["random", "nsga2[population_size=10]", "pareto-local-search"]
    also = ["onnxruntime_ms"]
    run("digits", methods, seeds=range(4), store=path, evaluations=25, objectives=also)
    write_report(path, path.with_suffix(".html"))
    return path


TABLES = """
    return [...document.querySelectorAll(".scroll")].map((region) => {
        const place = (element) => element.getBoundingClientRect();
        const cut = region.scrollWidth > region.clientWidth + 1;
        const said = region.previousElementSibling;
        const ends = [...region.querySelectorAll("th, td")].map((cell) => place(cell).right);
        return {
            name: region.ariaLabel,
            cut,
            told: said?.className === "more" && place(said).height > 0,
            right: place(region).left + region.clientLeft + region.clientWidth,
            outer: place(region).right,
            ends: [...new Set(ends.map(Math.round))],
        };
    });
"""
"""Of every table: whether columns are cut, whether that is said, and where it and its cells end."""


@pytest.mark.parametrize("which", ["one", "several"])
@pytest.mark.parametrize("width", [390, 500, 768, 1024, 1100, 1366, 1920])
def test_no_table_ends_within_a_column(
    browser: Any, page: Path, several: Path, width: int, which: str
) -> None:
    """Where a page is too narrow for a table it says that there are more columns."""
    with emulated(browser, width):
        browser.get((page if which == "one" else several.with_suffix(".html")).as_uri())
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        found = browser.execute_script(TABLES)
    assert len(found) >= 3
    for table in found:
        assert table["cut"] == table["told"], table
        assert table["outer"] <= width, table
        if table["cut"]:
            assert width < 1024, table
            assert min(abs(end - table["right"]) for end in table["ends"]) < 3, table


def test_words_in_a_table_wrap_and_figures_do_not(
    browser: Any, store: Path, tmp_path: Path
) -> None:
    """As the sources of published figures are sentences."""
    words = ("a method", "97.31", "[96.66, 98.18] ± 0.25", "A sentence of many words. " * 10)
    table = Table("Words", "", ("method", "mean", "interval", "source"), (words,), (False,), ())
    panel = lambda results: Section("words", "Words", "", [table])  # noqa: E731
    write_report(store, tmp_path / "r.html", panels=[panel])
    with emulated(browser, 1100):
        browser.get((tmp_path / "r.html").as_uri())
        (found,) = (one for one in browser.execute_script(TABLES) if one["name"] == "Words")
        heights = browser.execute_script(
            "return [...document.querySelectorAll('#words td')].map((cell) => {"
            "const lines = document.createRange(); lines.selectNodeContents(cell);"
            "return lines.getClientRects().length; })"
        )
    assert not found["cut"]
    assert heights[:3] == [1, 1, 1]
    assert heights[3] > 1


@pytest.mark.parametrize("which", ["one", "several"])
def test_in_print_every_column_is_on_the_paper(
    browser: Any, page: Path, several: Path, which: str
) -> None:
    """Of a page that was opened in a narrow window, too."""
    paper = 1123 - 90  # pixels across of A4 on its side, less the margins
    with emulated(browser, 500):
        browser.get((page if which == "one" else several.with_suffix(".html")).as_uri())
        assert any(table["cut"] for table in browser.execute_script(TABLES))
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        cut, told = browser.execute_script(
            """
            const all = (selector) => [...document.querySelectorAll(selector)];
            const style = (region) => getComputedStyle(region);
            return [
                all(".scroll").filter((region) => style(region).maxWidth !== "none").length,
                all(".more").filter((said) => said.getBoundingClientRect().height).length,
            ];
            """
        )
    with emulated(browser, paper, "print"):
        right = browser.execute_script(
            "return Math.max(...[...document.querySelectorAll('td, th')]"
            ".map((cell) => cell.getBoundingClientRect().right))"
        )
    assert right <= paper
    assert (cut, told) == (0, 0)


def test_colours_follow_the_system_and_the_button(tab: Any) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = tab.execute_script(ground)
    tab.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": "dark"}]},
    )
    dark = tab.execute_script(ground)
    assert light != dark
    press(tab, tab.find_element("id", "theme"))
    assert tab.execute_script(ground) == light
    tab.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_phone_scrolls_down_alone(tab: Any) -> None:
    tab.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True},
    )
    try:
        wide = tab.execute_script("return document.documentElement.scrollWidth")
        assert wide <= 360
    finally:
        tab.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_first_stop_of_the_keyboard_skips_to_the_board(tab: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    tab.find_element("tag name", "body").send_keys(Keys.TAB)
    assert tab.switch_to.active_element.text == "Skip to the leaderboard"


def test_no_error_and_no_request(tab: Any) -> None:
    tab.find_element("css selector", "details summary").click()
    assert [entry["message"] for entry in tab.get_log("browser")] == []
    entries = tab.execute_script("return performance.getEntriesByType('resource').length")
    assert entries == 0


def test_several_objectives_are_explored_against_each_other(several: Path) -> None:
    """The whole table, and the front of each method's search of median hypervolume."""
    (explored,) = (
        json.loads(str(attributes["data-content"]))
        for attributes in Page(several.with_suffix(".html").read_text()).all("div")
        if "data-content" in attributes
    )
    (task,) = explored["tasks"]
    assert (task["y"], task["x"], task["front"]) == ("digits_test_8", "onnxruntime_ms", True)
    results = read_results(several)
    (key,) = results.tasks
    shown = present(results).shown
    assert set(task["paths"]) == set(shown.values())
    digits = load_benchmark("digits")
    assert isinstance(digits, Benchmark)
    for method, trials in results.finished_on(key).groupby("method"):
        middle = trials.sort_values("report")["trial"].iloc[1]  # the second of four
        front = set(results.store.fronts([middle])["architecture"])
        path = task["paths"][shown[str(method)]]
        assert set(path) == front
        assert len(path) == len(front)
        assert np.all(np.diff(digits.values("onnxruntime_ms")[path]) >= 0)
    (table,) = explored["tables"].values()
    assert list(table["metrics"])[:2] == sorted(table["metrics"])[:2]
    assert {"digits_test_8", "onnxruntime_ms"} <= set(table["metrics"])


def test_every_device_that_is_searched_for_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many metrics a table has, and the tasks beyond those drawn are counted."""
    monkeypatch.setattr("reports.html.explorer._MOST_METRICS", 1)
    monkeypatch.setattr("reports.html.explorer._MOST_TASKS", 2)
    store = tmp_path / "r.sqlite"
    for also in ("onnxruntime_ms", "flops", "parameters"):
        run("digits", "random", seeds=1, store=store, evaluations=5, objectives=[also])
    section = explorer_panel(read_results(store))
    assert section is not None
    assert "first 2 of 3 tasks" in section.text
    for also in ("digits_test_8", "onnxruntime_ms", "flops"):
        assert f"&quot;{also}&quot;: {{&quot;label" in section.markup


@pytest.fixture
def explorer(browser: Any, tmp_path: Path) -> Any:
    """A page of the embedded benchmark, whose table is at hand, at its explorer."""
    store = tmp_path / "digits.sqlite"
    run("digits", "random,local-search", seeds=[0], store=store, evaluations=10)
    write_report(store, tmp_path / "digits.html")
    browser.set_window_size(1300, 900)
    browser.get((tmp_path / "digits.html").as_uri())
    return browser


DETAILS = """
    const rows = [...document.querySelectorAll(".explorer td.number")];
    return [document.querySelector(".explorer p")?.textContent ?? "",
            Object.fromEntries(rows.map((cell) => [cell.previousSibling.textContent,
                                                   Number(cell.textContent.replaceAll(",", ""))])),
            [...document.querySelectorAll(".explorer svg text")].map((text) => text.textContent)]
"""


def test_a_press_in_the_explorer_shows_the_architecture_below_it(explorer: Any) -> None:
    """At places all over the picture: its number, its cell drawn, and its figures in the table."""
    from selenium.webdriver.common.action_chains import ActionChains

    digits = load_benchmark("digits")
    assert isinstance(digits, Benchmark)
    canvas = explorer.find_element("css selector", ".explorer canvas")
    explorer.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    size, picked = canvas.size, set()
    for across, up in product((-0.3, -0.15, 0.0, 0.15, 0.3), (-0.4, -0.3, -0.2, 0.0)):
        place = round(across * size["width"]), round(up * size["height"])
        ActionChains(explorer).move_to_element_with_offset(canvas, *place).click().perform()
        told, figures, words = explorer.execute_script(DETAILS)
        if not told.startswith("Architecture"):
            continue  # nothing near
        index = int(told.removeprefix("Architecture "))
        picked.add(index)
        (test,) = (
            value for name, value in figures.items() if "test accuracy after 8 epochs" in name
        )
        assert test == pytest.approx(digits.query(index, "digits_test_8"), rel=1e-5)
        operations = [part.rpartition("~")[0] for part in digits.space.string(index).split("|")]
        convolutions = sum(part.startswith("nor_conv") for part in operations)
        assert sum(word.startswith("conv") for word in words) == convolutions
    assert len(picked) >= 2


def test_the_explorer_can_be_drawn_of_the_best_alone(explorer: Any) -> None:
    from selenium.webdriver.support.ui import Select

    canvas = explorer.find_element("css selector", ".explorer canvas")
    shown = Select(explorer.find_elements("css selector", ".explorer .controls select")[4])
    drawn = {}
    for share in ("all", "upper tenth", "lower half"):
        shown.select_by_visible_text(share)
        drawn[share] = explorer.execute_script("return arguments[0].toDataURL()", canvas)
    assert len(set(drawn.values())) == 3
    shown.select_by_visible_text("all")
    assert explorer.execute_script("return arguments[0].toDataURL()", canvas) == drawn["all"]


def test_no_two_methods_look_alike_in_the_explorer(browser: Any, tmp_path: Path) -> None:
    """Of 14, some share a colour: a marker tells them apart, in the legend and on their paths."""
    store = tmp_path / "many.sqlite"
    methods = [f"regularized-evolution[population_size={size}]" for size in range(30, 44)]
    run("digits", methods, seeds=[0], store=store, evaluations=12)
    write_report(store, tmp_path / "many.html")
    browser.get((tmp_path / "many.html").as_uri())
    looks = browser.execute_script("""
        return [...document.querySelectorAll(".explorer .legend svg")].map((svg) => [
            svg.querySelector("line").getAttribute("stroke"),
            svg.querySelector("polygon").getAttribute("points")])
    """)
    assert len(looks) == 14
    assert len({colour for colour, _ in looks}) == 8
    assert len({tuple(look) for look in looks}) == 14


def test_the_explorer_follows_the_keyboard_and_the_filter(explorer: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    canvas = explorer.find_element("css selector", ".explorer canvas")
    canvas.send_keys(Keys.ARROW_RIGHT)
    first, _, _ = explorer.execute_script(DETAILS)
    canvas.send_keys(Keys.ARROW_RIGHT)
    second, _, _ = explorer.execute_script(DETAILS)
    assert first.startswith("Architecture ")
    assert first != second
    legend = "return [...document.querySelectorAll('.explorer li')].map((li) => li.textContent)"
    assert len(explorer.execute_script(legend)) == 2
    explorer.find_element("name", "method").send_keys("local")
    assert explorer.execute_script(legend) == ["Local search"]
