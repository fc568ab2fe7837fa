"""Importing tables: what columns are taken for, how rows are ordered, and what is refused."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasbench_suite.benchmarks.columns import (
    MetadataFile,
    infer_facts,
    merge_facts,
    parse_fact,
    read_metadata_file,
)
from nasbench_suite.benchmarks.importing import add_latencies, import_frame, import_table
from nasbench_suite.benchmarks.table_file import read_benchmark, write_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import load_finite_space, load_space
from nasbench_suite.tasks import make_task

MACRO = load_space("nasbench-macro")
TSS = load_finite_space("nats-tss")


def table(**columns: Any) -> pd.DataFrame:
    """A table of the macro space in index order, with an accuracy and what is given."""
    rng = np.random.default_rng(0)
    figures = {"arch_str": MACRO.all_strings, "c_valid_3": rng.uniform(10, 90, size=MACRO.size)}
    return pd.DataFrame({**figures, **columns})


def written(frame: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return path


def said(*texts: str) -> MetadataFile:
    return merge_facts(MetadataFile(), [parse_fact(text) for text in texts])


# -- the real tables -------------------------------------------------------------------------------


def test_nasbench201_with_latencies(shared_data: Path) -> None:
    folder = shared_data / "nasbench201"
    files = [folder / "latency_ms.parquet", folder / "pi5.parquet"]
    imported = import_table(
        folder / "accuracy.parquet", "nas201", load_space("nats-tss"), latency=files
    )
    benchmark = imported.benchmark
    sources = [pd.read_parquet(file) for file in (folder / "accuracy.parquet", *files)]
    for frame in sources:
        for column in frame.columns.intersection(list(benchmark.metrics)):
            assert np.array_equal(benchmark.values(column), frame[column])
    assert len(benchmark.metrics) == 9 + 24 + 18
    assert set(imported.left_out) == {
        "accuracy.parquet: arch_index",
        "accuracy.parquet: unique_str",
        "pi5.parquet: representative_index",
    }
    assert benchmark.datasets == ["cifar10", "cifar100", "imagenet16_120"]
    quantised = {n: m.note for n, m in benchmark.metrics.items() if m.provenance == "quantised"}
    assert quantised == {
        "eyeriss": "38 distinct values",
        "fpga": "84 distinct values",
        "pixel2": "42 distinct values, whole ms",
        "essential_ph_1": "39 distinct values, whole ms",
        "samsung_s7": "79 distinct values, whole ms",
    }
    assert [hint.split()[0] for hint in imported.hints] == ["eyeriss", "fpga", "1080ti_1"]
    energy = benchmark.metric("onnx_darcy_mj")
    assert (energy.quantity, energy.unit, energy.device) == ("energy", "mJ", "onnx_darcy")
    assert energy.note == "isomorphic architectures share one figure"
    assert benchmark.metric("raspi4").note == ""
    task = make_task(benchmark, "cifar10")
    assert (task.objectives[0].signal, task.objectives[0].judged_by) == (
        "cifar10_valid_12",
        "cifar10_test_200",
    )
    assert task.optimum == pytest.approx(94.3733, abs=5e-5)


def test_macro_needs_a_seed_set_aside(shared_data: Path) -> None:
    file = shared_data / "nasbench_macro" / "accuracy.parquet"
    frame = pd.read_parquet(file).set_index("arch_str").loc[list(MACRO.all_strings)]
    imported = import_table(file, "macro", MACRO)
    assert list(imported.benchmark.metrics) == ["cifar10_test", "params", "flops"]
    assert imported.benchmark.metric("cifar10_test").seeds == (0, 1, 2)
    assert np.array_equal(imported.benchmark.values("cifar10_test"), frame["cifar10_test_mean"])
    assert np.array_equal(imported.benchmark.values("flops"), frame["flops"])
    assert "--metric cifar10_test_seed0:split=valid" in imported.hints[0]
    with pytest.raises(SuiteError, match="no valid accuracy"):
        make_task(imported.benchmark)

    aside = import_table(file, "macro", MACRO, metadata=said("cifar10_test_seed0:split=valid"))
    task = make_task(aside.benchmark)
    assert (task.objectives[0].signal, task.objectives[0].judged_by) == (
        "cifar10_test_seed0",
        "cifar10_test",
    )
    assert aside.benchmark.metric("cifar10_test").seeds == (1, 2)
    others = frame[["cifar10_test_seed1", "cifar10_test_seed2"]].mean(axis=1)
    np.testing.assert_allclose(aside.benchmark.values("cifar10_test"), others, rtol=1e-12)
    signal = aside.benchmark.values("cifar10_test_seed0")
    assert np.array_equal(signal, frame["cifar10_test_seed0"])
    assert "set aside" in aside.benchmark.metric("cifar10_test_seed0").note
    assert "accuracy.parquet: cifar10_test_mean" in aside.left_out
    assert not aside.hints


# -- rows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.tsv", "no_suffix"])
def test_rows_in_any_order(tmp_path: Path, name: str) -> None:
    frame = table()
    file = written(frame.sample(frac=1, random_state=0), tmp_path / name)
    benchmark = import_table(file, "t", MACRO).benchmark
    assert np.array_equal(benchmark.values("c_valid_3"), frame["c_valid_3"])


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_architectures_by_index(tmp_path: Path, name: str) -> None:
    frame = table(Arch_Index=np.arange(MACRO.size)).drop(columns="arch_str")
    file = written(frame.iloc[::-1], tmp_path / name)
    benchmark = import_table(file, "t", MACRO).benchmark
    assert np.array_equal(benchmark.values("c_valid_3"), frame["c_valid_3"])


def test_architecture_column_found_by_content_or_said(tmp_path: Path) -> None:
    frame = table().rename(columns={"arch_str": "network"}).iloc[::-1]
    assert list(import_table(written(frame, tmp_path / "t.csv"), "t", MACRO).benchmark.metrics)
    frame = table(other=np.arange(MACRO.size)).rename(columns={"arch_str": "cell"})
    frame["cell"] = "?"
    file = written(frame, tmp_path / "t.parquet")
    with pytest.raises(SuiteError, match=r"row 0: Malformed network '\?'"):
        import_table(file, "t", MACRO)
    assert list(import_table(file, "t", MACRO, arch_column="other").benchmark.metrics)


def test_strings_decide_over_another_order_of_indices(tmp_path: Path) -> None:
    frame = table(arch_index=np.arange(MACRO.size)[::-1])
    benchmark = import_table(written(frame, tmp_path / "t.csv"), "t", MACRO).benchmark
    assert np.array_equal(benchmark.values("c_valid_3"), frame["c_valid_3"])


def test_pandas_index_of_strings(tmp_path: Path) -> None:
    frame = table()
    frame.set_index("arch_str").iloc[::-1].to_parquet(tmp_path / "t.parquet")
    benchmark = import_table(tmp_path / "t.parquet", "t", MACRO).benchmark
    assert np.array_equal(benchmark.values("c_valid_3"), frame["c_valid_3"])


def test_rows_in_index_order(tmp_path: Path) -> None:
    frame = table().drop(columns="arch_str")
    file = written(frame, tmp_path / "t.csv")
    with pytest.raises(SuiteError, match="no architecture column among 'c_valid_3'"):
        import_table(file, "t", MACRO)
    benchmark = import_table(file, "t", MACRO, in_index_order=True).benchmark
    assert np.array_equal(benchmark.values("c_valid_3"), frame["c_valid_3"])
    file = written(frame.iloc[:-1], tmp_path / "t.csv")
    with pytest.raises(SuiteError, match="6560 rows, but space 'nasbench-macro' has 6561"):
        import_table(file, "t", MACRO, in_index_order=True)


def test_equal_rows_are_taken_once(tmp_path: Path) -> None:
    frame = table()
    twice = pd.concat([frame, frame.iloc[[7, 9]]])
    imported = import_table(written(twice, tmp_path / "t.csv"), "t", MACRO)
    assert np.array_equal(imported.benchmark.values("c_valid_3"), frame["c_valid_3"])
    assert imported.hints == ["t.csv repeats 2 rows; each is taken once."]
    numbered = twice.assign(row=range(len(twice)), id=range(len(twice)), remark=range(len(twice)))
    imported = import_table(written(numbered, tmp_path / "t.csv"), "t", MACRO)
    assert imported.hints == ["t.csv repeats 2 rows; each is taken once."]


# -- columns ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("cifar10_valid_12", ("accuracy", "cifar10", "valid", 12)),
        ("ImageNet16_120_VAL_200", ("accuracy", "imagenet16_120", "valid", 200)),
        ("imagenet16_120_test", ("accuracy", "imagenet16_120", "test", None)),
        ("digits_valid_loss_8", ("loss", "digits", "valid", 8)),
        ("c100_train_acc", ("accuracy", "c100", "train", None)),
        ("digits_train_time_8", ("training_time", "digits", None, 8)),
        ("train_time", ("training_time", None, None, None)),
        ("time_s", ("training_time", None, None, None)),
        ("params", ("parameters", None, None, None)),
        ("cifar10_flops", ("flops", "cifar10", None, None)),
    ],
)
def test_names_of_columns(name: str, facts: tuple[Any, ...]) -> None:
    inferred = infer_facts(name)
    keys = ("quantity", "dataset", "split", "epochs")
    assert tuple(inferred.get(key) for key in keys) == facts


@pytest.mark.parametrize("name", ["accuracy", "test", "inference_time", "latency", "ms", "s", ""])
def test_names_that_tell_nothing(name: str) -> None:
    assert infer_facts(name) == {}


def test_seeds_by_every_spelling(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    figures = rng.uniform(10, 90, size=(6, MACRO.size))
    names = ["a_valid_1@7", "a_valid_1@9", "b_test_seed0", "b_test_seed_1", "x", "y"]
    file = written(table(**dict(zip(names, figures, strict=True))), tmp_path / "t.parquet")
    facts = MetadataFile.model_validate(
        {"metrics": {"e_test_4": {"seeds": {"5": "x", "3": "y"}, "provenance": "measured"}}}
    )
    benchmark = import_table(file, "t", MACRO, metadata=facts).benchmark
    for metric, seeds, rows in (
        ("a_valid_1", (7, 9), (0, 1)),
        ("b_test", (0, 1), (2, 3)),
        ("e_test_4", (3, 5), (5, 4)),
    ):
        assert benchmark.metric(metric).seeds == seeds
        assert np.array_equal(benchmark.seed_values(metric).T, figures[list(rows)])
        mean = figures[list(rows)].mean(axis=0)
        np.testing.assert_allclose(benchmark.values(metric), mean, rtol=1e-12)
    assert benchmark.metric("e_test_4").epochs == 4
    assert benchmark.metric("e_test_4").provenance == "measured"


def test_untrained_seeds_are_left_out_of_the_mean(tmp_path: Path) -> None:
    seeds = {f"a_test_seed{seed}": np.full(MACRO.size, 10.0 * seed) for seed in (1, 2)}
    seeds["a_test_seed2"][5] = np.nan
    file = written(table(**seeds), tmp_path / "t.csv")
    assert import_table(file, "t", MACRO).benchmark.values("a_test")[4:7].tolist() == [15, 10, 15]


def test_what_nothing_describes_is_left_out_and_named(tmp_path: Path) -> None:
    frame = table(score=1.5, remark="?", arch_index=range(MACRO.size), broken=[1, "x", *[2] * 6559])
    file = written(frame, tmp_path / "t.csv")
    imported = import_table(file, "t", MACRO)
    assert list(imported.benchmark.metrics) == ["c_valid_3"]
    assert set(imported.left_out) == {
        "t.csv: score",
        "t.csv: remark",
        "t.csv: arch_index",
        "t.csv: broken",
    }
    assert "--metric score:quantity=" in imported.left_out["t.csv: score"]
    described = said(
        "score:quantity=robustness,direction=maximize,unit=dB", "*:provenance=modelled"
    )
    metric = import_table(file, "t", MACRO, metadata=described).benchmark.metric("score")
    assert (metric.quantity, metric.direction, metric.unit) == ("robustness", "maximize", "dB")
    assert metric.provenance == "modelled"


def test_the_user_overrides_what_names_tell(tmp_path: Path) -> None:
    file = written(table(lut=np.arange(MACRO.size) % 7 + 0.5), tmp_path / "t.csv")
    facts = said(
        "*:provenance=measured", "lut:quantity=latency,device=fpga", "lut:provenance=modelled"
    )
    imported = import_table(file, "t", MACRO, metadata=facts)
    metric = imported.benchmark.metric("lut")
    assert (metric.device, metric.unit, metric.direction) == ("fpga", "ms", "minimize")
    assert (metric.provenance, metric.note) == ("modelled", "7 distinct values")
    assert imported.benchmark.metric("c_valid_3").provenance == "measured"
    assert not imported.hints
    loss = import_table(file, "t", MACRO, metadata=said("c_valid_3:quantity=loss")).benchmark
    assert (loss.metric("c_valid_3").unit, loss.metric("c_valid_3").direction) == (
        "nats",
        "minimize",
    )


def test_accuracies_from_0_to_1_are_fractions(tmp_path: Path) -> None:
    frame = table(c_test_3=np.linspace(0, 1, MACRO.size))
    benchmark = import_table(written(frame, tmp_path / "t.csv"), "t", MACRO).benchmark
    assert benchmark.metric("c_test_3").unit == "fraction"
    assert benchmark.metric("c_valid_3").unit == "%"


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_metadata_files(tmp_path: Path, suffix: str) -> None:
    toml = """
        [about]
        source = "somewhere"
        released = 2020-05-01
        [metrics.c_valid_3]
        note = "read, with a comma"
        epochs = 5
        [metrics."c_*"]
        provenance = "measured"
    """
    content = {
        "about": {"source": "somewhere", "released": "2020-05-01"},
        "metrics": {
            "c_valid_3": {"note": "read, with a comma", "epochs": 5},
            "c_*": {"provenance": "measured"},
        },
    }
    file = tmp_path / f"facts{suffix}"
    file.write_text(toml if suffix == ".toml" else json.dumps(content))
    facts = merge_facts(read_metadata_file(file), [("c_valid_3", {"epochs": 6})])
    imported = import_table(written(table(), tmp_path / "t.csv"), "t", MACRO, metadata=facts)
    metric = imported.benchmark.metric("c_valid_3")
    assert (metric.epochs, metric.note, metric.provenance) == (6, "read, with a comma", "measured")
    assert imported.benchmark.about == content["about"]


def test_latencies_beside_a_benchmark(tmp_path: Path) -> None:
    benchmark = import_table(written(table(), tmp_path / "t.csv"), "t", MACRO).benchmark
    frame = table(phone=np.arange(1, MACRO.size + 1) / 8).drop(columns="c_valid_3").iloc[::-1]
    file = written(frame, tmp_path / "l.csv")
    more = add_latencies(benchmark, [file], said("c_valid_3:note=mine")).benchmark
    assert more.metric("phone").device == "phone"
    assert np.array_equal(more.values("phone"), np.arange(1, MACRO.size + 1) / 8)
    assert more.metric("c_valid_3").note == "mine"
    with pytest.raises(SuiteError, match=r"'phone' of .* is already there"):
        add_latencies(benchmark, [file, file])


# -- bad input -------------------------------------------------------------------------------------


def with_cell(column: str, row: int, cell: Any) -> pd.DataFrame:
    frame = table().astype({column: object})
    frame.loc[row, column] = cell
    return frame


BAD_TABLES: dict[str, tuple[Callable[[], pd.DataFrame], str]] = {
    "nan": (lambda: with_cell("c_valid_3", 5, None), "nan at architecture 5 .00000012."),
    "infinite": (lambda: with_cell("c_valid_3", 5, "inf"), "inf at architecture 5"),
    "missing": (lambda: table().drop(index=[3, 4]), "lacks 2 of the 6,561 .* first 3 .00000010."),
    "conflict": (
        lambda: pd.concat([table(), with_cell("c_valid_3", 0, 1.0).iloc[:1]]),
        r"architecture 0 twice \(rows 0 and 6561\)",
    ),
    "unknown": (
        lambda: with_cell("arch_str", 5, "00000003"),
        "row 5: Malformed network '00000003'",
    ),
    "empty name": (lambda: with_cell("arch_str", 5, None), "row 5: nan is no architecture"),
    "no column": (lambda: table()[["c_valid_3"]], "no architecture column"),
    "no metric": (lambda: table()[["arch_str"]], "has no metric"),
    "no rows": (lambda: table().iloc[:0], "no rows"),
    "same seed": (
        lambda: table(**{"a_test@1": 1.5, "a_test_seed1": 1.5}),
        "same seed of 'a_test'",
    ),
    "index outside": (
        lambda: table(arch_index=np.arange(1, MACRO.size + 1)).drop(columns="arch_str"),
        "index 6561 is outside",
    ),
    "index broken": (
        lambda: table(arch_index=np.arange(MACRO.size) + 0.5).drop(columns="arch_str"),
        "row 0: 0.5 is no architecture",
    ),
}


@pytest.mark.parametrize("fault", BAD_TABLES)
def test_bad_tables(tmp_path: Path, fault: str) -> None:
    make, sentence = BAD_TABLES[fault]
    with pytest.raises(SuiteError, match=sentence):
        import_table(written(make(), tmp_path / "t.csv"), "t", MACRO)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "cannot be read"),
        (b"\x00\xff\xfe\x80garbage", "cannot be read|is no table"),
        (b"PAR1 and no more", "cannot be read"),
        (b"a,b\n1,2\n1,2,3\n", "cannot be read"),
        (b"just a line of text", "no rows"),
        (b"arch_str,x_test,x_test\n00000000,1,2\n", "column 'x_test' twice"),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, content: bytes, sentence: str) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(content)
    with pytest.raises(SuiteError, match=sentence):
        import_table(file, "t", MACRO)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="There is no file"):
        import_table(tmp_path / "nothing.csv", "t", MACRO)
    with pytest.raises(SuiteError, match="cannot be read"):
        import_table(tmp_path, "t", MACRO)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("c_valid_3", "NAME:key=value"),
        (":split=valid", "NAME:key=value"),
        ("c:split", "NAME:key=value"),
        ("c:splt=valid", "Unknown key 'splt': did you mean 'split'"),
        ("c:split=dev", "Unknown value 'dev' of split: choose from test, train, valid"),
        ("c:split=vald", "Unknown value 'vald' of split: did you mean 'valid'"),
        ("c:epochs=many", "epochs: input should be a valid integer"),
        ("c:epochs=0", "epochs: input should be greater than 0"),
        ("c:seeds=1", "seeds: input should be a valid dictionary"),
    ],
)
def test_bad_facts(text: str, sentence: str) -> None:
    with pytest.raises(SuiteError, match=sentence):
        parse_fact(text)


def test_a_name_may_have_colons_and_equals_signs(tmp_path: Path) -> None:
    assert parse_fact("acc:top=1:split=test")[0] == "acc:top=1"
    assert parse_fact("c:note=a: split=b")[0] == "c"
    rows = table(**{"lat:pixel:ms": 1.5})
    file = written(rows, tmp_path / "t.csv")
    facts = said("lat:pixel:ms:quantity=latency,unit=ms")
    found = import_table(file, "t", MACRO, metadata=facts).benchmark
    assert found.metric("lat:pixel:ms").unit == "ms"


def test_facts_about_nothing(tmp_path: Path) -> None:
    file = written(table(score=1.5), tmp_path / "t.csv")
    with pytest.raises(SuiteError, match="'c_vald_3': did you mean 'c_valid_3'"):
        import_table(file, "t", MACRO, metadata=said("c_vald_3:epochs=4"))
    with pytest.raises(SuiteError, match=r"Quantity 'robustness' .* --metric score:direction="):
        import_table(file, "t", MACRO, metadata=said("score:quantity=robustness"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[metrics", "cannot be read"),
        ("metric = 3", "Unknown key 'metric': did you mean 'metrics'"),
        ("[metrics.a]\nunits = 'ms'", "Unknown key 'units': did you mean 'unit'"),
        ("[metrics]\na = 3", "metrics.a: "),
        ("about = 3", "about: "),
    ],
)
def test_bad_metadata_files(tmp_path: Path, content: str, sentence: str) -> None:
    file = tmp_path / "facts.toml"
    file.write_text(content)
    with pytest.raises(SuiteError, match=sentence):
        read_metadata_file(file)


# -- whatever comes in, one sentence comes out -----------------------------------------------------

FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
CELLS = st.one_of(
    st.sampled_from(
        ["arch_str", "arch_index", "a_test_1", "a_test@1", "a_seed0", "ms", "x_ms", ""]
    ),
    st.sampled_from(["00000000", "00000001", "1", "-1", "1e400", "nan", "0.5", "9" * 30, "True"]),
    st.text(max_size=8),
)


def import_or_refuse(file: Path, latency: bool = False) -> None:
    for space in (MACRO, load_space("nats-tss")):
        with suppress(SuiteError):
            import_table(file, "t", space, latency=[file] if latency else [])


@FUZZ
@given(st.binary(max_size=300))
def test_fuzz_bytes(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "t"
    file.write_bytes(content)
    import_or_refuse(file)


@FUZZ
@given(st.lists(st.lists(CELLS, max_size=5), max_size=6), st.booleans())
def test_fuzz_cells(tmp_path: Path, rows: list[list[str]], latency: bool) -> None:
    file = tmp_path / "t.csv"
    text = "\n".join(",".join(row) for row in rows)
    file.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    import_or_refuse(file, latency)


@pytest.mark.slow
@FUZZ
@given(
    st.dictionaries(
        CELLS,
        st.lists(
            st.one_of(
                st.none(), st.integers(-2, 9), st.floats(), st.sampled_from(["00000000", "?"])
            )
        ),
        max_size=4,
    )
)
def test_fuzz_typed_columns(tmp_path: Path, columns: dict[str, list[Any]]) -> None:
    """Complete tables, whose further columns repeat the cells drawn."""
    frame = pd.DataFrame({"arch_index": np.arange(MACRO.size)})
    for name, cells in columns.items():
        if len(set(map(type, cells)) - {type(None)}) > 1:  # Parquet columns have one type
            cells = [str(cell) for cell in cells]
        frame[name] = pd.Series((cells or [None]) * MACRO.size).iloc[: MACRO.size]
    file = tmp_path / "t.parquet"
    frame.to_parquet(file)
    import_or_refuse(file, latency=True)


@pytest.fixture(scope="module")
def sound_parquet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(table(), tmp_path_factory.mktemp("sound") / "t.parquet")


@FUZZ
@given(data=st.data())
def test_fuzz_damaged_parquet(tmp_path: Path, sound_parquet: Path, data: st.DataObject) -> None:
    """Cut off anywhere, or with a few bytes changed, most of them in the footer."""
    content = bytearray(sound_parquet.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        near_end = st.integers(max(0, len(content) - 2000), len(content) - 1)
        places = st.one_of(near_end, st.integers(0, len(content) - 1))
        for place in data.draw(st.lists(places, min_size=1, max_size=4)):
            content[place] = data.draw(st.integers(0, 255))
    file = tmp_path / "t.parquet"
    file.write_bytes(content)
    import_or_refuse(file)


# -- units, ranges, names --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "quantity", "unit"),
    [
        *((f"phone_{suffix}", "latency", "s") for suffix in ("s", "sec", "seconds")),
        *((f"phone_{unit}", "latency", unit) for unit in ("ms", "us", "ns")),
        ("phone_mj", "energy", "mJ"),
        ("phone_mb", "memory", "MB"),
        ("phone_fps", "throughput", "images/s"),
    ],
)
def test_units_by_name_are_the_same_in_both_tables(
    tmp_path: Path, name: str, quantity: str, unit: str
) -> None:
    costs = pd.DataFrame({"arch_str": MACRO.all_strings, name: np.arange(MACRO.size) + 1.0})
    file = written(costs, tmp_path / "l.csv")
    imported = import_table(
        written(table(), tmp_path / "t.csv"), "t", MACRO, latency=[file]
    ).benchmark
    metric = imported.metric(name)
    assert (metric.quantity, metric.unit, metric.device) == (quantity, unit, "phone")
    assert metric.direction == ("maximize" if quantity == "throughput" else "minimize")
    from hardware.tables import add_costs, read_table

    added = add_costs(imported, [read_table(file, MACRO.name)]).metric(name)
    assert (added.quantity, added.unit, added.device, added.direction) == (
        *(metric.quantity, metric.unit, metric.device),
        metric.direction,
    )


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("phone_ms", -1, "latency is a number above 0"),
        ("phone_ms", 0, "latency is a number above 0"),
        ("params", -1, "parameters is no number below 0"),
        ("c_test_3", 100.5, "between 0 and 100"),
        ("c_test_3", -1, "between 0 and 100"),
    ],
)
def test_figures_that_cannot_be_are_refused(
    tmp_path: Path, column: str, value: float, sentence: str
) -> None:
    figures = np.full(MACRO.size, 50.0)
    figures[5] = value
    with pytest.raises(SuiteError, match=f"architecture 5 .*{sentence}"):
        import_table(written(table(**{column: figures}), tmp_path / "t.csv"), "t", MACRO)


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("cifar10-valid_x-valid_12", ("accuracy", "cifar10-valid", "valid", 12)),
        ("cifar10_ori-test_200", ("accuracy", "cifar10", "test", 200)),
        ("valid-accuracy", ("accuracy", None, "valid", None)),
        ("val_acc", ("accuracy", None, "valid", None)),
        ("x-valid", ("accuracy", None, "valid", None)),
        ("ori-test", ("accuracy", None, "test", None)),
        ("x-test_200", ("accuracy", None, "test", 200)),
        ("cifar10-valid_x-valid@11", ("accuracy", "cifar10-valid", "valid", 12)),
        ("ori-test@199", ("accuracy", None, "test", 200)),
        ("cifar10_x_valid_12", ("accuracy", "cifar10", "valid", 12)),
        ("cifar10_ori_test_200", ("accuracy", "cifar10", "test", 200)),
        ("acc_val", ("accuracy", None, "valid", None)),
        ("error_test_200", ("error", None, "test", 200)),
        ("test_acc_200", ("accuracy", None, "test", 200)),
        ("cifar10_test_error", ("error", "cifar10", "test", None)),
        ("cifar10_train_seconds_12", ("training_time", "cifar10", None, 12)),
    ],
)
def test_names_that_the_field_uses(name: str, facts: tuple[Any, ...]) -> None:
    test_names_of_columns(name, facts)


def test_published_seeds_are_no_epochs_and_epochs_no_seeds(tmp_path: Path) -> None:
    figures = 50 + np.arange(MACRO.size) % 40
    seeds = {f"c_test_{seed}": figures + seed / 1000 for seed in (777, 888, 999)}
    frame = table(**seeds, **{"c_x-valid@0": figures, "c_x-valid@2": figures + 1})
    read = import_table(written(frame, tmp_path / "t.csv"), "t", MACRO).benchmark
    assert read.metric("c_test").seeds == (777, 888, 999)
    assert read.metric("c_test").epochs is None
    assert [read.metric(f"c_x-valid@{last}").epochs for last in (0, 2)] == [1, 3]
    write_benchmark(read, tmp_path / "again.parquet")
    again = read_benchmark(tmp_path / "again.parquet")
    assert np.array_equal(again.values("c_x-valid@2"), figures + 1)
    assert np.array_equal(again.seed_values("c_test"), read.seed_values("c_test"))


@pytest.mark.parametrize(("name", "unit"), [("seconds", "s"), ("time_s", "s"), ("us", "us")])
def test_a_latency_that_is_called_by_its_unit_is_in_it(
    name: str, unit: str, tmp_path: Path
) -> None:
    from hardware.tables import read_table

    costs = pd.DataFrame({"arch_str": MACRO.all_strings, name: 1.0 + np.arange(MACRO.size) % 90})
    file = written(costs, tmp_path / "l.csv")
    source = written(table(), tmp_path / "t.csv")
    told = import_table(source, "t", MACRO, latency=[file])
    metric = told.benchmark.metric(name)
    assert (metric.quantity, metric.unit) == ("latency", unit)
    assert not any("names no unit" in hint for hint in told.hints)
    (fact,) = read_table(file, MACRO.name).facts.values()
    assert (fact["quantity"], fact["unit"]) == ("latency", unit)


def test_a_unit_that_is_none_is_refused(tmp_path: Path) -> None:
    file = written(table(phone_ms=np.arange(MACRO.size) + 1), tmp_path / "t.csv")
    with pytest.raises(SuiteError, match="unit 'miles', which is none of latency: choose from ms"):
        import_table(file, "t", MACRO, metadata=said("phone_ms:unit=miles"))


def test_a_validation_that_is_a_test_is_named(tmp_path: Path) -> None:
    frame = table()
    frame["c_test_3"] = frame["c_valid_3"]
    hints = import_table(written(frame, tmp_path / "t.csv"), "t", MACRO).hints
    assert any("c_valid_3 holds the figures of c_test_3" in hint for hint in hints)


@pytest.mark.parametrize(("images", "named"), [(10_000, True), (25_000, False)])
def test_a_validation_that_counts_test_images_is_named(images: int, named: bool) -> None:
    right = 5_000 + 3 * np.arange(TSS.size) % 4_000
    shares = np.rint(right / 10_000 * images) / images
    shares[0] += 1 / images
    frame = pd.DataFrame({"arch_str": TSS.all_strings, "cifar10_valid_200": 100 * shares})
    hints = import_frame(frame, "t", TSS).hints
    assert named == any("has only multiples of 1/10,000" in hint for hint in hints)


def test_real_validations_count_validation_images(shared_data: Path) -> None:
    for file in ("accuracy", "valid_200_and_cost"):
        path = shared_data / "nasbench201" / f"{file}.parquet"
        hints = import_table(path, "t", TSS).hints
        assert not any("multiples of" in hint for hint in hints), file


def test_what_a_table_of_costs_says_of_itself_stays(tmp_path: Path) -> None:
    from hardware.tables import make_table, write_table

    facts = {
        "p_mb": {"provenance": "modelled", "note": "peak", "dataset": "cifar100"}
        | {"batch": 32, "precision": "int8", "runtime": "tflite", "resolution": "32x32"}
    }
    costs = np.arange(MACRO.size) + 1.0
    about = {"device": {"processor": "this one"}}
    write_table(
        make_table(MACRO, np.arange(MACRO.size), {"p_mb": costs}, facts, about),
        tmp_path / "l.parquet",
    )
    source = written(table(), tmp_path / "t.csv")
    benchmark = import_table(source, "t", MACRO, latency=[tmp_path / "l.parquet"]).benchmark
    metric = benchmark.metric("p_mb")
    assert (metric.quantity, metric.unit, metric.provenance) == ("memory", "MB", "modelled")
    assert (metric.dataset, metric.note[:4]) == ("cifar100", "peak")
    assert metric.conditions == "32x32, batch 32, tflite, int8"
    assert benchmark.about["costs"]["p_mb"]["device"]["processor"] == "this one"


# -- figures that are not there --------------------------------------------------------------------


def test_a_mark_is_no_figure_where_it_is_said(tmp_path: Path) -> None:
    from hardware.tables import add_costs, read_table, write_table

    costs = np.arange(MACRO.size) + 1.0
    costs[[5, 9]] = -1
    costs = pd.DataFrame({"arch_str": MACRO.all_strings, "phone_ms": costs})
    file, source = written(costs, tmp_path / "l.csv"), written(table(), tmp_path / "t.csv")
    why = "rejected by the compiler"
    for refuse in (
        lambda: import_table(source, "t", MACRO, latency=[file]),
        lambda: read_table(file, MACRO.name),
    ):
        with pytest.raises(SuiteError, match=r"-1.* above 0.* why -1 stands for no figure"):
            refuse()
    told = import_table(
        source, "t", MACRO, latency=[file], metadata=said(f"phone_ms:missing={why}")
    )
    assert any(f"2 of 6,561 architectures have no figure ({why})" in hint for hint in told.hints)
    costs.loc[5, "phone_ms"] = 1.0
    written(costs, tmp_path / "one.csv")
    one = import_table(
        source, "t", MACRO, latency=[tmp_path / "one.csv"], metadata=said(f"*:missing={why}")
    )
    assert any(f"1 of 6,561 architectures has no figure ({why})" in hint for hint in one.hints)
    plain = import_table(source, "t", MACRO).benchmark
    costs_of_ours = read_table(file, MACRO.name, missing=why)
    write_table(costs_of_ours, tmp_path / "ours.parquet")  # which says so of itself
    ours = import_table(source, "t", MACRO, latency=[tmp_path / "ours.parquet"]).benchmark
    for benchmark in (told.benchmark, ours, add_costs(plain, [costs_of_ours])):
        reasons = benchmark.reasons("phone_ms")
        assert reasons is not None
        assert np.flatnonzero(reasons).tolist() == [5, 9]
        assert benchmark.missing("phone_ms") == {why: 2}
        assert benchmark.best("phone_ms") == 0
    costs.loc[7, "phone_ms"] = 0  # is no mark
    with pytest.raises(SuiteError, match="is 0 at architecture 7"):
        import_table(
            source,
            "t",
            MACRO,
            latency=[written(costs, tmp_path / "zero.csv")],
            metadata=said(f"*:missing={why}"),
        )


def test_a_device_measured_for_a_sample(tmp_path: Path) -> None:
    from hardware.tables import add_costs, read_table

    costs = pd.DataFrame({"arch_str": MACRO.all_strings, "phone_ms": np.arange(MACRO.size) + 1.0})
    sample = costs.sample(90, random_state=0)
    file, source = written(sample, tmp_path / "l.csv"), written(table(), tmp_path / "t.csv")
    plain = import_table(source, "t", MACRO).benchmark
    with pytest.raises(SuiteError, match=r"lacks 6,471 .*: give a row .*--missing 'not measured'"):
        import_table(source, "t", MACRO, latency=[file])
    with pytest.raises(SuiteError, match=r"lacks 6471 .*--missing 'not measured'"):
        add_costs(plain, [read_table(file, MACRO.name)])
    facts = said("phone_ms:missing=not measured")
    one = import_table(source, "t", MACRO, latency=[file], metadata=facts).benchmark
    other = add_costs(plain, [read_table(file, MACRO.name, missing="not measured")])
    for benchmark in (one, other):
        values = benchmark.values("phone_ms")
        assert np.flatnonzero(np.isfinite(values)).tolist() == sorted(sample.index)
        assert values[sample.index].tolist() == sample["phone_ms"].tolist()
        assert benchmark.missing("phone_ms") == {"not measured": 6471}
        assert not benchmark.missing("c_valid_3")
    # What is said to be missing stays so beside a further table.
    more = costs.rename(columns={"phone_ms": "other_ms"})
    both = add_latencies(one, [written(more, tmp_path / "more.csv")]).benchmark
    assert both.missing("phone_ms") == {"not measured": 6471}
    assert not both.missing("other_ms")
    added = add_costs(one, [read_table(tmp_path / "more.csv", MACRO.name)])
    assert added.missing("phone_ms") == {"not measured": 6471}


def test_architectures_without_figures_by_command(tmp_path: Path, monkeypatch: Any) -> None:
    from typer.testing import CliRunner

    from nasbench_suite.benchmarks import load_benchmark
    from nasbench_suite.commands.data import app

    monkeypatch.setenv("NASBENCH_HOME", str(tmp_path))
    frame = table(**{"c_test@0": 50.0 + np.arange(MACRO.size) % 7, "c_test@1": 51.0})
    frame.loc[4, ["c_valid_3", "c_test@0", "c_test@1"]] = None
    frame.loc[6, "c_test@0"] = None  # the other seed is there, and so is a mean
    source = written(frame, tmp_path / "t.csv")
    arguments = ["import", str(source), "--name", "gap", "--space", MACRO.name]
    refused = CliRunner().invoke(app, arguments)
    assert "--missing REASON" in str(refused.exception)
    wrong = CliRunner().invoke(app, [*arguments, "--missing", "lost"])
    assert "Unknown reason 'lost': choose from" in str(wrong.exception)
    answer = CliRunner().invoke(app, [*arguments, "--missing", "training failed"])
    assert answer.exit_code == 0, answer.output
    benchmark = load_benchmark("gap")
    assert benchmark.missing("c_valid_3") == benchmark.missing("c_test") == {"training failed": 1}
    assert benchmark.query(6, "c_test") == 51.0
    available = make_task(benchmark, "c").available
    assert available is not None
    assert np.flatnonzero(~available).tolist() == [4]


def test_what_the_compiler_of_edgetpu_rejects(shared_data: Path) -> None:
    import pyarrow.parquet as pq

    folder = shared_data / "nasbench201"
    column, why = "cifar100_edgetpu_latency", "rejected by the compiler"
    latencies = pq.read_table(folder / "hw_nas_bench.parquet").column(column).to_numpy()
    facts = said(f"*_edgetpu_latency:missing={why}")
    benchmark = import_table(
        folder / "accuracy.parquet",
        "nas201",
        load_space("nats-tss"),
        latency=[folder / "hw_nas_bench.parquet"],
        metadata=facts,
    ).benchmark
    assert benchmark.missing(column) == {why: 4699}
    assert not benchmark.missing("cifar100_raspi4_latency")
    assert benchmark.query(benchmark.best(column), column) == latencies[latencies > 0].min()


# -- byte order marks, names of spaces -------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_metadata_with_a_byte_order_mark(tmp_path: Path, suffix: str) -> None:
    text = {
        ".toml": "[metrics.c_valid_3]\r\nprovenance = 'measured'\r\n",
        ".json": '{"metrics": {"c_valid_3": {"provenance": "measured"}}}',
    }[suffix]
    file = tmp_path / f"m{suffix}"
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_metadata_file(file).metrics["c_valid_3"].provenance == "measured"


@pytest.mark.parametrize(
    ("name", "space"),
    [
        *((name, "nats-tss") for name in ("nasbench201", "nas-bench-201", "tss", "topology")),
        *((name, "nats-sss") for name in ("sss", "size")),
        *((name, "nasbench-macro") for name in ("nas-bench-macro", "macro")),
        *((name, "nasbench101") for name in ("nas-bench-101", "nb101")),
        *((name, "darts") for name in ("nasbench301", "nas-bench-301", "nb301")),
        ("transnas-bench-101-micro", "transnas101-micro"),
    ],
)
def test_names_that_the_field_gives_spaces(name: str, space: str) -> None:
    for spelled in (name, name.upper(), name.replace("-", "_")):
        assert load_space(spelled).name == space


@pytest.mark.parametrize(
    ("name", "spaces"),
    [
        ("NATS-Bench", "'nats-sss' or 'nats-tss'"),
        ("TransNAS-Bench-101", "'transnas101-macro' or 'transnas101-micro'"),
        ("HW-NAS-Bench", "'fbnet' or 'nats-tss'"),
        ("graph", "'nasbench-graph' or 'nasbench-graph-proteins'"),
        ("s1", "'darts-s1'"),
        ("nas201", "'nats-tss'"),
    ],
)
def test_a_name_without_its_part_is_answered_by_the_parts(name: str, spaces: str) -> None:
    with pytest.raises(SuiteError, match=f"did you mean {spaces}\\?"):
        load_space(name)


def test_a_cost_of_another_data_set_is_told(tmp_path: Path) -> None:
    from nasbench_suite.runner import run

    costs = np.arange(MACRO.size) + 1.0
    names = ("cifar100_phone_ms", "cifar10_phone_ms", "imagenet16_120_phone_ms")
    frame = table(**dict.fromkeys((*names, "plain_ms", "stated_ms"), costs))
    frame = frame.drop(columns="c_valid_3")
    for dataset in ("cifar10-valid", "cifar100", "ImageNet16-120"):
        frame[f"{dataset}_x-valid_3"] = frame[f"{dataset}_x-test_3"] = 50.0 + costs % 7
    facts = said("stated_ms:dataset=cifar100")
    file = written(frame, tmp_path / "t.csv")
    benchmark = import_table(file, "t", MACRO, metadata=facts).benchmark
    also = (*names, "plain_ms", "stated_ms")
    foreign = {
        "cifar10-valid": ["cifar100_phone_ms", "imagenet16_120_phone_ms", "stated_ms"],
        "cifar100": ["cifar10_phone_ms", "imagenet16_120_phone_ms"],
        "imagenet16_120": ["cifar100_phone_ms", "cifar10_phone_ms", "stated_ms"],
    }
    for dataset, told in foreign.items():
        hints = make_task(benchmark, dataset, objectives=also).hints
        assert [hint.split()[0] for hint in hints] == told
    summary = run(
        benchmark,
        "random",
        dataset="imagenet16_120",
        objectives=["cifar100_phone_ms"],
        evaluations=2,
        seeds=[0],
        store=tmp_path / "r.sqlite",
    )
    assert any(
        "the latency on cifar100, and the search is on imagenet16" in h for h in summary.hints
    )


@pytest.mark.parametrize("way", ["csv", "parquet", "by device", "tabs"])
def test_a_table_on_its_side_is_turned(tmp_path: Path, way: str) -> None:
    costs = np.arange(MACRO.size) % 97 + 1.0
    frame = pd.DataFrame([costs], columns=list(MACRO.all_strings), index=["a_valid_1"])
    path = tmp_path / "t"
    if way == "csv":
        frame.to_csv(path)
    elif way == "parquet":
        frame.rename_axis("figure").reset_index().to_parquet(path)
    elif way == "by device":
        path.write_text(
            json.dumps(
                {
                    "a_valid_1": dict(zip(MACRO.all_strings, costs, strict=True)),
                    "b_ms": dict(zip(MACRO.all_strings, costs, strict=True)),
                }
            )
        )
    else:
        frame.to_csv(path, index_label="", sep="\t")
    benchmark = import_table(path, "t", MACRO).benchmark
    assert np.array_equal(benchmark.values("a_valid_1"), costs)


def test_architectures_of_another_space_are_told_with_their_own(tmp_path: Path) -> None:
    cells = [load_finite_space("nats-tss").string(index) for index in range(3)]
    frame = pd.DataFrame({"arch_str": cells, "c_valid_3": [1.0, 2.0, 3.0]})
    file = written(frame, tmp_path / "t.csv")
    for space in ("nasbench-macro", "darts", "nats-sss"):
        told = rf"space 'nats-tss', not of '{space}'.*say --space nats-tss\."
        with pytest.raises(SuiteError, match=told):
            import_table(file, "t", load_space(space))


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("phone (ms)", ("latency", "ms")),
        ("phone [us]", ("latency", "us")),
        ("phone_milliseconds", ("latency", "ms")),
        ("Params (M)", ("parameters", "M")),
        ("flops_G", ("flops", "G")),
        ("#params", ("parameters", "")),
        ("gpu_gib", ("memory", "GiB")),
        ("latency_zcu102", ("latency", "ms")),
        ("throughput_tpuv2_mean", ("throughput", "images/s")),
        ("energy_gpu_j", ("energy", "J")),
    ],
)
def test_units_however_they_stand_in_a_name(name: str, facts: tuple[str, str]) -> None:
    inferred = infer_facts(name)
    assert (inferred["quantity"], inferred["unit"]) == facts


@pytest.mark.parametrize("name", ["phone_cycles", "phone_minutes", "phone (ticks)", "phone_norm"])
def test_units_that_are_not_known_are_refused_by_both(tmp_path: Path, name: str) -> None:
    from hardware.tables import read_table

    frame = table()
    costs = frame[["arch_str"]].assign(**{name: np.arange(MACRO.size) + 1.0})
    accuracies, latency = written(frame, tmp_path / "t.csv"), written(costs, tmp_path / "l.csv")
    with pytest.raises(SuiteError, match="no unit known here: convert it to ms"):
        import_table(accuracies, "t", MACRO, latency=[latency])
    with pytest.raises(SuiteError, match="no unit known here: convert it to ms"):
        read_table(latency, "nasbench-macro")


def test_shares_among_percentages_are_refused(tmp_path: Path) -> None:
    figures = np.random.default_rng(0).uniform(60, 90, MACRO.size)
    mixed = np.where(np.arange(MACRO.size) % 3 == 0, figures / 100, figures)
    file = written(table(c_valid_3=mixed), tmp_path / "t.csv")
    with pytest.raises(
        SuiteError, match=r"mixes shares of 1, such as 0.*multiply the shares by 100"
    ):
        import_table(file, "t", MACRO)
    # What a network that guesses has of 120 classes is no share.
    chance = np.where(np.arange(MACRO.size) % 3 == 0, 0.8333, figures / 2)
    file = written(table(c_valid_3=chance), tmp_path / "t.csv")
    assert import_table(file, "t", MACRO).benchmark.metric("c_valid_3").unit == "%"


def test_a_loss_below_zero_is_asked_for_its_direction(tmp_path: Path) -> None:
    file = written(table(c_valid_loss_3=-np.arange(MACRO.size) - 1.0), tmp_path / "t.csv")
    with pytest.raises(SuiteError, match=r"minus the loss, say so with --metric .*=maximize"):
        import_table(file, "t", MACRO)
    told = said("c_valid_loss_3:direction=maximize")
    assert import_table(file, "t", MACRO, metadata=told).benchmark.values("c_valid_loss_3")[1] == -2


@pytest.mark.parametrize("name", ["valid_top1_error", "test_top1_err", "cifar10_test_error_rate"])
def test_error_rates_are_minimised(name: str) -> None:
    assert infer_facts(name)["quantity"] == "error"


def test_an_index_that_counts_from_one_is_told(tmp_path: Path) -> None:
    counted = table().drop(columns="arch_str").assign(arch_index=np.arange(MACRO.size) + 1)
    with pytest.raises(SuiteError, match="counts from 1, subtract 1"):
        import_table(written(counted, tmp_path / "t.csv"), "t", MACRO)


@pytest.mark.parametrize("way", ["list", "columns", "csv", "array"])
def test_costs_that_name_no_architectures_are_read_alike_and_said(tmp_path: Path, way: str) -> None:
    """A list or columns of figures, one an architecture: by both commands, in index order."""
    from hardware.tables import read_table

    costs = MACRO.all_vectors.sum(1) + 1.5
    file = tmp_path / "phone.pkl"
    if way == "csv":
        pd.DataFrame({"phone": costs, "gpu": costs}).to_csv(file, index=False)
    else:
        kept = {"list": costs.tolist(), "columns": {"phone": costs, "gpu": costs}, "array": costs}
        file.write_bytes(pickle.dumps(kept[way]))
    accuracies = written(table(), tmp_path / "t.csv")
    imported = import_table(accuracies, "t", MACRO, latency=[file])
    ours = read_table(file, "nasbench-macro")
    assert np.array_equal(imported.benchmark.values("phone"), costs)
    assert np.array_equal(ours.columns["phone"], costs)
    for hints in (imported.hints, ours.hints):
        assert any("names no architectures" in hint for hint in hints)
    file.write_bytes(pickle.dumps(costs[:100].tolist()))
    with pytest.raises(SuiteError, match="has 100 figures and names no architectures"):
        import_table(accuracies, "t", MACRO, latency=[file])
    with pytest.raises(SuiteError, match="has 100 figures and names no architectures"):
        read_table(file, "nasbench-macro")
