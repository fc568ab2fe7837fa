"""The registry of parts: found by name, imported when asked for, excused where they cannot be."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from nasbench_suite import registry
from nasbench_suite.benchmarks.importing import benchmark_from_frame
from nasbench_suite.commands.space import app as space_app
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import SearchSpace, load_space
from nasbench_suite.tasks import Method
from nasbench_suite.tasks.methods import describe_methods

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a distribution by its metadata alone, in a folder on the path."""

    def add(
        name: str, group: str, points: dict[str, str], requires: str = "", **modules: str
    ) -> Path:
        folder = tmp_path / name
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}"
        )
        lines = "\n".join(f"{key} = {value}" for key, value in points.items())
        (info / "entry_points.txt").write_text(f"[nasbench_suite.{group}]\n{lines}\n")
        files = {f"{module.replace('.', '/')}.py": text for module, text in modules.items()}
        for file, text in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text)
        (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))
        monkeypatch.syspath_prepend(folder)
        return folder

    return add


def test_every_part_of_ours_can_be_loaded() -> None:
    for kind in registry.KINDS:
        for name, entry in registry.entries(kind).items():
            if entry.distribution == "nasbench-suite":
                assert entry.load() is not None, name


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    program = (
        "import sys; from nasbench_suite import registry\n"
        "for kind in registry.KINDS: registry.entries(kind)\n"
        "assert not {'numpy', 'torch', 'typer', 'search_methods'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    "kind", [name for name, kind in registry.KINDS.items() if not kind.described_by]
)
def test_a_part_is_listed_as_it_says_of_itself(kind: str) -> None:
    """Also where its source is read and it is not imported."""
    for listed in registry.describe(kind):
        if not listed.fault:
            assert listed.summary == registry.summarise(registry.find(kind, listed.name).load())


def test_our_methods_are_listed_without_torch() -> None:
    """What needs it is listed; where it is missing, with that reason."""
    code = "import sys; sys.modules |= {GONE}; from nasbench_suite.registry import describe; print("
    code += "'torch' in sys.modules, *(one.fault for one in describe('methods') if one.fault))"
    for gone, told in (("{}", r"False"), ("{'torch': None}", r"True .*'darts' needs .*'torch'")):
        call = [sys.executable, "-c", code.replace("{GONE}", gone)]
        answer = subprocess.run(call, capture_output=True, text=True, check=True)
        assert re.match(told, answer.stdout)


def test_methods_that_lack_a_package_are_described_and_the_reason_is_told_once() -> None:
    """As after an installation without extras."""
    code = (
        "import sys; sys.modules['torch'] = None; sys.argv = ['nasbench', 'methods', 'list']\n"
        "from nasbench_suite.commands import main; main()"
    )
    wide = {**os.environ, "COLUMNS": "200"}
    call = [sys.executable, "-c", code]
    shown = subprocess.run(call, capture_output=True, text=True, env=wide).stdout
    (darts,) = re.findall(r"^darts .*", shown, re.MULTILINE)
    assert darts.split()[:4] == ["darts", "!", "differentiable", "torch"]
    assert darts.endswith("in strengths of operations, mixed on every edge.")
    assert re.search(r"^random  +baseline  +-  ", shown, re.MULTILINE)
    reason = (
        "! needs the package 'torch', which is not installed: pip install 'nasbench-suite[torch]'."
    )
    assert shown.count("pip install") == shown.count(reason) == 1


def test_what_is_installed_meanwhile_is_found(install: Install) -> None:
    folder = install("first", "methods", {"first-part": "first:Part"})
    assert "first-part" in registry.entries("methods")
    info = folder / "second-1.0.dist-info"  # as pip adds one to a folder that was read before
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: second\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[nasbench_suite.methods]\nsecond-part = second:Part\n")
    os.utime(folder)
    assert "second-part" in registry.entries("methods")


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(SuiteError, match="Unknown method 'rndom': did you mean 'random'"):
        registry.find("methods", "rndom")
    with pytest.raises(SuiteError, match="Unknown kind 'methds': did you mean 'methods'"):
        registry.find("methds", "random")


@pytest.mark.parametrize("name", ["nasbench-201x", "NASBench201x", "tss2", "topologie"])
def test_a_near_alias_suggests_the_part_that_it_means(name: str) -> None:
    with pytest.raises(SuiteError, match=r"did you mean '?.*'nats-tss'"):
        registry.find("spaces", name)


def test_an_alias_is_the_same_part(install: Install) -> None:
    install(
        "aliased",
        "spaces",
        {"triples": "triples:Triples"},
        triples="from nasbench_suite.spaces.topology import TopologySpace\n"
        "class Triples(TopologySpace):\n"
        "    name, aliases = 'triples', ('threes',)\n",
    )
    assert registry.find("spaces", "threes").name == "triples"
    assert load_space("threes") is load_space("triples")
    (listed,) = (one for one in registry.describe("spaces") if one.name == "triples")
    assert listed.aliases == ("threes",)
    with pytest.raises(SuiteError, match="Unknown search space 'fours'"):
        load_space("fours")


def test_a_space_of_choices_is_told_what_does_the_rest_for_it(install: Install) -> None:
    code = (
        "from nasbench_suite.spaces.base import {base}\n"
        "class Pairs({base}):\n"
        "    name, choices = '{name}', (2, 3)\n"
        "    def format(self, form): return ','.join(map(str, form))\n"
        "    def parse(self, string): return tuple(map(int, string.split(',')))\n"
    )
    install(
        "pairs",
        "spaces",
        {"bare": "bare:Pairs", "whole": "whole:Pairs"},
        bare=code.format(base="SearchSpace", name="bare"),
        whole=code.format(base="ProductSpace", name="whole"),
    )
    with pytest.raises(
        SuiteError, match=r"abstract.*: mend the class, or derive it from FiniteProduct"
    ):
        load_space("bare")
    assert load_space("whole").size == 6


def test_a_space_registered_under_another_name_than_its_own(install: Install) -> None:
    install("renamed", "spaces", {"mine": "nasbench_suite.spaces.topology:TopologySpace"})
    with pytest.raises(SuiteError, match="registered as 'mine' calls itself 'nats-tss'"):
        load_space("mine")


def test_a_space_that_cannot_be_made_is_named(install: Install) -> None:
    install(
        "unmade",
        "spaces",
        {"half": "half:Half"},
        half="from nasbench_suite.spaces import SearchSpace\nclass Half(SearchSpace): pass\n",
    )
    with pytest.raises(SuiteError, match=r"'half' \(half:Half\) cannot be made .*abstract"):
        load_space("half")
    cells = ["|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"]
    table = pd.DataFrame({"arch_str": cells, "c_valid": [1.0]})
    with pytest.raises(SuiteError, match=r"of space 'nats-tss', not of 'nasbench-macro'"):
        benchmark_from_frame(table, "nasbench-macro")
    listed = CliRunner().invoke(space_app, ["list"])
    assert listed.exit_code == 0
    assert "nats-tss" in listed.stdout
    assert "! Search space 'half' (half:Half) cannot be made" in listed.stdout


def test_two_claims_to_one_name_spoil_that_name_alone(install: Install) -> None:
    install("first", "methods", {"twice": "search_methods.tpe:TPE"})
    install("second", "methods", {"twice": "search_methods.bananas:Bananas"})
    with pytest.raises(SuiteError) as error:
        registry.load_class("methods", "twice", Method)
    assert "first (search_methods.tpe:TPE)" in str(error.value)
    assert "second (search_methods.bananas:Bananas)" in str(error.value)
    assert registry.load_class("methods", "tpe", Method).__name__ == "TPE"
    faults = {listed.name: listed.fault for listed in registry.describe("spaces")}
    assert set(faults.values()) == {""}


def test_the_same_claim_twice_is_one(install: Install) -> None:
    install("again", "methods", {"tpe": "search_methods.tpe:TPE"})
    assert registry.load_class("methods", "tpe", Method).__name__ == "TPE"


def test_what_is_no_part_of_its_kind() -> None:
    with pytest.raises(SuiteError, match=r"Method 'tpe' \(search_methods.tpe:TPE\) is no subclass"):
        registry.load_class("methods", "tpe", SearchSpace)
    with pytest.raises(SuiteError, match="is no SearchSpace"):
        registry.load_object("methods", "tpe", SearchSpace)


REQUIRES = "Requires-Dist: no-such_package>=1; python_version > '3' and extra == 'fast'\n"


@pytest.mark.parametrize(
    ("requires", "module", "sentence"),
    [
        (
            REQUIRES,
            "import no_such_package",
            "Method 'm' needs the package 'no_such_package', which is not installed: "
            "pip install 'broken[fast]'.",
        ),
        ("", "import no_such_package.part", "not installed: pip install no_such_package."),
        ("", "1/0", "Method 'm' (broken_part:M) cannot be imported: ZeroDivisionError: division"),
        ("", "M = )", "cannot be imported: SyntaxError"),
        ("", "raise SystemExit(3)", "cannot be imported: SystemExit(3)."),
        ("", "pass", "cannot be imported: AttributeError: module 'broken_part' has no attribute"),
    ],
)
def test_a_part_that_cannot_be_imported_says_why(
    install: Install, requires: str, module: str, sentence: str
) -> None:
    install("broken", "methods", {"m": "broken_part:M"}, requires, broken_part=module)
    sys.modules.pop("broken_part", None)
    with pytest.raises(SuiteError) as error:
        registry.find("methods", "m").load()
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)
    (listed,) = (one for one in registry.describe("methods") if one.name == "m")
    assert listed.fault == str(error.value)
    assert listed.distribution == "broken"


def test_a_folder_taken_for_a_module_is_named(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a developer's folder has the name of the module in it."""
    install("swallowed", "methods", {"m": "swallowed_part:M"})
    folder = tmp_path / "work" / "swallowed_part"
    folder.mkdir(parents=True)
    monkeypatch.syspath_prepend(folder.parent)
    with pytest.raises(SuiteError) as error:
        registry.find("methods", "m").load()
    assert f"taken to be the folder {folder}, which has no __init__.py: rename" in str(error.value)


# -- parts that mean harm, or are broken in ways that importing them does not tell ----------------

FINE = (
    "from dataclasses import dataclass\nfrom nasbench_suite.tasks import Method\n"
    "@dataclass\nclass M(Method):\n    '''Fine.'''\n    def step(self, session): pass\n"
)
BROKEN = {
    "raises what is no exception": ("class E(BaseException): pass\nraise E('out')", "E: out"),
    "cannot be told": (
        "class E(Exception):\n    def __str__(self): raise E\nraise E",
        "what it says cannot be told",
    ),
    "no class": ("M = 7", "is no subclass of Method"),
    "a docstring that raises": (
        "class D(type):\n    __doc__ = property(lambda self: 1 / 0)\nclass M(metaclass=D): pass",
        "cannot be described: ZeroDivisionError",
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_part_however_broken_spoils_no_other(install: Install, how: str) -> None:
    module, said = BROKEN[how]
    name = f"broken_{abs(hash(how))}"
    install("broken", "methods", {"harm": f"{name}:M"}, **{name: module})
    install("whole", "methods", {"whole": f"{name}_whole:M"}, **{f"{name}_whole": FINE})
    found = {entry["name"]: entry for entry in describe_methods()}
    assert said in found["harm"]["lack"]
    assert "\n" not in found["harm"]["lack"]
    assert (found["whole"]["summary"], found["whole"]["lack"]) == ("Fine.", "")


def test_an_entry_that_names_nothing_is_listed_with_the_reason(install: Install) -> None:
    install("nothing", "methods", {"harm": "not a module! ["})
    (listed,) = (one for one in registry.describe("methods") if one.name == "harm")
    assert listed.fault.startswith("Method 'harm' (not a module! [) cannot be imported")


@pytest.mark.parametrize("content", [b"no line of its own\n", b"\xff\xfe = x:y\n"])
def test_a_distribution_that_cannot_be_read_is_left_out(
    install: Install, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    folder = install("damaged", "methods", {"gone": "gone:M"})
    file = folder / "damaged-1.0.dist-info" / "entry_points.txt"
    file.write_bytes(b"[nasbench_suite.methods]\n" + content)
    install("sound", "methods", {"sound": "sound:M"})
    found = registry.entries("methods")
    assert {"sound", "random"} <= found.keys()
    assert "What damaged registers cannot be read and is left out" in capsys.readouterr().err


def test_what_hides_or_steers_in_a_name_is_escaped(install: Install) -> None:
    names = ("red\x1b[31m", "rtl\u202egnp", "ze\u200bro", "r\u0430ndom")
    install("deceiving", "methods", {name: f"m{n}:M" for n, name in enumerate(names)})
    found = {name for name, entry in registry.entries("methods").items() if not entry.own}
    assert found >= {
        *("red\\x1b[31m", "rtl\\u202egnp", "ze\\u200bro"),
        "r\u0430ndom (letters that look Latin: U+0430)",
    }
    assert registry.find("methods", "red\\x1b[31m").value == "m0:M"


def test_a_space_takes_no_name_of_the_space_that_it_is_made_from(install: Install) -> None:
    """A class inherits ``aliases``, and with them once took 'topology' from the space of here."""
    made = "from nasbench_suite.spaces.topology import TopologySpace\nclass S(TopologySpace):\n"
    install("heir", "spaces", {"heir": "heir:S"}, heir=f"{made}    name = 'heir'\n")
    assert registry.find("spaces", "topology").name == "nats-tss"
    claiming = f"{made}    name, aliases = 'claims', ('topology',)\n"
    install("claims", "spaces", {"claims": "claims:S"}, claims=claiming)
    with pytest.raises(
        SuiteError, match=r"'topology' is an alias of 'claims' \(claims\) and 'nats-"
    ):
        registry.find("spaces", "topology")
    assert registry.find("spaces", "tss").name == "nats-tss"


@pytest.mark.parametrize("aliases", ["7", "'threes'", "([],)"])
def test_aliases_that_are_no_names_spoil_their_space_alone(install: Install, aliases: str) -> None:
    text = "from nasbench_suite.spaces.topology import TopologySpace\n"
    text += f"class S(TopologySpace):\n    name, aliases = 'odd', {aliases}\n"
    module = f"odd_{len(aliases)}"
    install("odd", "spaces", {"odd": f"{module}:S"}, **{module: text})
    faults = {one.name: one.fault for one in registry.describe("spaces")}
    assert "'odd'" in faults.pop("odd")
    assert set(faults.values()) == {""}
    assert registry.find("spaces", "topology").name == "nats-tss"


def test_an_import_that_takes_for_ever_says_what_is_waited_for(
    install: Install, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registry, "_PATIENCE", 0.05)
    install(
        "slow",
        "methods",
        {"slow": "slow_part:M"},
        slow_part=f"import time\ntime.sleep(0.5)\n{FINE}",
    )
    registry.find("methods", "slow").load()
    assert capsys.readouterr().err == "Method 'slow' (slow_part:M) is still being imported.\n"
