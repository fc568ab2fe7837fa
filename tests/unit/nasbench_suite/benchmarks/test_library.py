"""The library: finding benchmarks, importing under a name, losing nothing, telling damage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import nasbench_suite
from nasbench_suite.benchmarks import Benchmark, Metric, library, load_benchmark
from nasbench_suite.benchmarks.library import (
    describe_benchmark,
    import_benchmark,
    list_benchmarks,
    verify_benchmark,
)
from nasbench_suite.benchmarks.packaged import PackagedBenchmark
from nasbench_suite.benchmarks.table_file import read_benchmark, write_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import run
from nasbench_suite.spaces import load_space

MACRO = load_space("nasbench-macro")


pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    columns = {f"c_{split}_3": rng.uniform(10, 90, size=MACRO.size) for split in ("valid", "test")}
    pd.DataFrame({"arch_str": MACRO.all_strings, **columns}).to_csv(tmp_path / "source.csv")
    return tmp_path / "source.csv"


def test_imported_by_name_and_by_path(home: Path, source: Path) -> None:
    written = import_benchmark(source, "mine", "nasbench-macro").benchmark
    frame = pd.read_csv(source, float_precision="round_trip")
    for found in (nasbench_suite.load_benchmark("mine"), load_benchmark(written_file(home))):
        assert found.name == "mine"
        assert found.about["source"] == "source.csv"
        assert found.metrics == written.metrics
        assert found.checksum == written.checksum == found.compute_checksum()
        np.testing.assert_array_equal(found.values("c_test_3"), frame["c_test_3"])
    assert load_benchmark(written_file(home)).name == "mine"


def written_file(home: Path) -> Path:
    return home / "benchmarks" / "mine.parquet"


def test_environment_is_read_at_each_call(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_benchmark(source, "mine", "nasbench-macro")
    monkeypatch.setenv("NASBENCH_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(SuiteError, match="Unknown benchmark 'mine'"):
        load_benchmark("mine")


def test_default_home_is_the_users_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NASBENCH_HOME")
    monkeypatch.setattr("platformdirs.user_data_dir", lambda name, **_: f"/data/{name}")
    assert library.benchmark_home() == Path("/data/nasbench-suite/benchmarks")


def test_embedded_benchmark() -> None:
    if list_benchmarks()[0].fault:
        pytest.skip("the embedded table has not been made yet")
    digits = load_benchmark("digits")
    assert digits.name == "digits"
    assert digits.space.size == 15625
    assert verify_benchmark("digits").faults == []
    assert list_benchmarks()[0].source == "embedded"


def test_embedded_benchmark_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = PackagedBenchmark(Path("nowhere/table.parquet"), "letters")
    monkeypatch.setattr("nasbench_suite.benchmarks.digits.TABLE", gone)
    with pytest.raises(SuiteError, match=r"'digits' is missing .* install nasbench-suite again"):
        load_benchmark("digits")
    assert "missing" in list_benchmarks()[0].fault


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("mime", r"'mime': did you mean 'mine'\? .*nasbench data import FILE --name mime"),
        ("zzz", "choose from digits, digits-top, mine"),
        ("some/where", "There is no benchmark file 'some/where'"),
        ("other.parquet", r"There is no benchmark file 'other\.parquet'"),
        (Path("mine"), "There is no benchmark file 'mine'"),
        ("", "There is no benchmark file ''"),
    ],
)
def test_unknown_names(source: Path, name: str | Path, sentence: str) -> None:
    import_benchmark(source, "mine", "nasbench-macro")
    with pytest.raises(SuiteError, match=sentence):
        load_benchmark(name)


def test_foreign_parquet_is_told_to_be_imported(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "foreign.parquet")
    with pytest.raises(SuiteError, match="import it with `nasbench data import`"):
        load_benchmark(tmp_path / "foreign.parquet")


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "", "a b", "x.parquet", "digits"])
def test_names_that_cannot_be(source: Path, name: str) -> None:
    with pytest.raises(SuiteError, match=r"cannot name a benchmark|of the package nasbench-suite"):
        import_benchmark(source, name, "nasbench-macro")
    assert [entry.name for entry in list_benchmarks()] == ["digits", "digits-top"]


def test_nothing_is_lost_by_a_failed_import(home: Path, source: Path, tmp_path: Path) -> None:
    import_benchmark(source, "mine", "nasbench-macro")
    before = written_file(home).read_bytes()
    with pytest.raises(SuiteError, match=r"already a benchmark 'mine'.*--overwrite"):
        import_benchmark(source, "mine", "nasbench-macro")
    broken = tmp_path / "broken.csv"
    broken.write_text(source.read_text()[:5000])
    with pytest.raises(SuiteError, match=r"lacks|Malformed|finite"):
        import_benchmark(broken, "mine", "nasbench-macro", overwrite=True)
    assert written_file(home).read_bytes() == before
    assert [file.name for file in written_file(home).parent.iterdir()] == ["mine.parquet"]

    frame = pd.read_csv(source, dtype={"arch_str": str})
    frame["c_test_3"] = 50.0
    frame.to_csv(source)
    import_benchmark(source, "mine", "nasbench-macro", overwrite=True)
    assert load_benchmark("mine").query("00000000", "c_test_3") == 50


def test_an_import_that_dies_leaves_the_table_that_was_there(
    home: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the middle of writing: what can be read is the old table, whole."""
    import pyarrow.parquet as pq

    import_benchmark(source, "mine", "nasbench-macro")
    before = written_file(home).read_bytes()

    def die_half_way(writer: pq.ParquetWriter, table: object) -> None:
        writer.where.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(pq.ParquetWriter, "write_table", die_half_way)
    with pytest.raises(KeyboardInterrupt):
        import_benchmark(source, "mine", "nasbench-macro", overwrite=True)
    assert written_file(home).read_bytes() == before


def test_a_benchmark_in_use_survives_its_replacement(source: Path) -> None:
    import_benchmark(source, "mine", "nasbench-macro")
    used = load_benchmark("mine")
    expected = pd.read_csv(source, float_precision="round_trip")["c_test_3"]
    frame = pd.read_csv(source, dtype={"arch_str": str})
    frame["c_test_3"] = 50.0
    frame.to_csv(source)
    import_benchmark(source, "mine", "nasbench-macro", overwrite=True)
    np.testing.assert_array_equal(used.values("c_test_3"), expected)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"name": None}, "needs a name"),
        ({"space": None}, "needs the space .* nasbench-macro, .*nats-sss, nats-tss"),
        ({"space": "nats-tts"}, "Unknown search space 'nats-tts': did you mean 'nats-tss'"),
        ({"latency": ["nothing.csv"]}, r"no file nothing\.csv"),
        ({"metadata": "nothing.toml"}, r"There is no metadata file nothing\.toml"),
        ({"metrics": {"c_test_3": {"unit": 3}}}, "unit '3', which is none of accuracy"),
    ],
)
def test_bad_arguments(source: Path, arguments: dict, sentence: str) -> None:
    with pytest.raises(SuiteError, match=sentence):
        import_benchmark(source, **{"name": "mine", "space": "nasbench-macro", **arguments})


def test_folder_that_cannot_be_written(home: Path, source: Path) -> None:
    home.mkdir()
    (home / "benchmarks").write_text("a file, not a folder")
    with pytest.raises(SuiteError, match=r"Cannot write .*NASBENCH_HOME"):
        import_benchmark(source, "mine", "nasbench-macro")
    with pytest.raises(SuiteError, match="There is no file"):
        import_benchmark("nothing.csv", "mine", "nasbench-macro")


def test_a_file_of_the_suite_is_imported_as_it_is(toy: Benchmark, tmp_path: Path) -> None:
    write_benchmark(toy, tmp_path / "toy.parquet")
    imported = import_benchmark(tmp_path / "toy.parquet", "mine").benchmark
    assert imported.name == "mine"
    assert imported.checksum == toy.checksum
    with pytest.raises(SuiteError, match="holds space 'nats-tss', not 'nats-sss'"):
        import_benchmark(tmp_path / "toy.parquet", "other", "nats-sss")
    change_figures(tmp_path / "toy.parquet")
    with pytest.raises(SuiteError, match="is damaged"):
        import_benchmark(tmp_path / "toy.parquet", "other")


@pytest.mark.parametrize(
    ("archive", "converter"),
    [
        ("nats-tss", "nats_archive.import_nats"),
        ("nas-bench-201", "nasbench201_archive.import_nasbench201"),
    ],
)
def test_official_archives(
    archive: str,
    converter: str,
    toy: Benchmark,
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Which function is called; what it does is tested where it stands."""
    calls = []

    def convert(path: Path, *, progress: Callable[[int, int], None] | None = None) -> Benchmark:
        assert progress is not None
        progress(1, 2)
        calls.append(path)
        return Benchmark(archive, toy.space, toy.metrics, toy.columns, toy.about)

    package = "nasbench_suite.benchmarks"
    pytest.importorskip(f"{package}.{converter.split('.')[0]}")
    for module in ("nats_archive", "nasbench201_archive"):
        monkeypatch.setattr(f"{package}.{module}.recognise", lambda _: archive)
    monkeypatch.setattr(f"{package}.{converter}", convert)
    done = []
    path = tmp_path / "source.csv"
    imported = import_benchmark(path, progress=lambda *step: done.append(step))
    assert (imported.benchmark.name, calls, done) == (archive, [path], [(1, 2)])
    assert load_benchmark(archive).checksum == toy.checksum
    assert import_benchmark(path, "own", progress=print).benchmark.name == "own"


# -- verify, list, info ----------------------------------------------------------------------------


def change_figures(path: Path, column: str = "toy_test_9") -> None:
    """Write the file anew with one figure changed and all else as it was."""
    table = pq.read_table(path)
    values = table[column].to_numpy().copy()
    values[7] += 1e-6
    position = table.column_names.index(column)
    pq.write_table(table.set_column(position, column, pa.array(values)), path)


def rewrite(path: Path, change: Callable[[dict], None]) -> None:
    """Write the file anew with its metadata changed."""
    table = pq.read_table(path)
    metadata = json.loads(table.schema.metadata[b"nasbench_suite"])
    change(metadata)
    pq.write_table(table.replace_schema_metadata({"nasbench_suite": json.dumps(metadata)}), path)


def drop_column(path: Path) -> None:
    pq.write_table(pq.read_table(path).drop_columns(["toy_test_9@1"]), path)


def drop_rows(path: Path) -> None:
    pq.write_table(pq.read_table(path).slice(0, 100), path)


def put_nan(path: Path) -> None:
    table = pq.read_table(path)
    position = table.column_names.index("toy_test_9")
    values = pa.array(np.full(len(table), np.nan))
    pq.write_table(table.set_column(position, "toy_test_9", values), path)


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (change_figures, "toy.parquet is damaged (its checksum differs)"),
        (drop_column, "columns missing: toy_test_9@1"),
        (drop_rows, "has 100 rows, but space 'nats-tss' has 15625"),
        (put_nan, "toy.parquet is damaged (its checksum differs)"),
        (
            lambda path: rewrite(path, lambda about: about["metrics"][0].update(epochs=2)),
            "not those that were written",
        ),
    ],
)
def test_damage_of_a_table_is_found(
    toy: Benchmark, tmp_path: Path, damage: Callable[[Path], None], fault: str
) -> None:
    path = tmp_path / "toy.parquet"
    write_benchmark(toy, path)
    assert verify_benchmark(path).faults == []
    damage(path)
    faults = "; ".join(verify_benchmark(path).faults)
    assert fault in faults


@pytest.mark.parametrize(
    "change",
    [
        lambda about: about.pop("space"),
        lambda about: about.pop("checksum"),
        lambda about: about.update(space="nats-xss"),
        lambda about: about.update(metrics=[{"nome": 1}]),
        lambda about: about.update(format=99),
    ],
)
def test_damaged_metadata(toy: Benchmark, tmp_path: Path, change: Callable[[dict], None]) -> None:
    path = tmp_path / "toy.parquet"
    write_benchmark(toy, path)
    rewrite(path, change)
    with pytest.raises(SuiteError):
        load_benchmark(path)


def test_every_flipped_byte_is_found(toy: Benchmark, tmp_path: Path) -> None:
    """200 bytes flipped, one at a time: a fault, or the figures are as they were."""
    path = tmp_path / "toy.parquet"
    write_benchmark(toy, path)
    sound = path.read_bytes()
    places = np.random.default_rng(0).integers(0, len(sound), size=200)
    found = 0
    for place in places.tolist():
        flipped = bytearray(sound)
        flipped[place] ^= 0x10
        path.write_bytes(flipped)
        try:
            found += bool(verify_benchmark(path).faults)
        except SuiteError:
            found += 1
    assert found >= 195  # some bytes, such as statistics and names of encodings, carry no figure


def as_earlier(path: Path) -> None:
    """Rewrite a file as earlier versions did: without checksums of columns and pages."""
    table = pq.read_table(path)
    metadata = json.loads(table.schema.metadata[b"nasbench_suite"])
    del metadata["columns"]
    kept = {b"nasbench_suite": json.dumps(metadata).encode()}
    pq.write_table(table.replace_schema_metadata(kept), path, compression="none")


@pytest.mark.parametrize("earlier", [False, True], ids=["checksums", "earlier"])
def test_no_flipped_bit_changes_a_figure(toy: Benchmark, tmp_path: Path, earlier: bool) -> None:
    """100 bits flipped, one at a time: what is read is as it was written, or refused."""
    path = tmp_path / "toy.parquet"
    write_benchmark(toy, path)
    if earlier:
        as_earlier(path)
    sound, metric = path.read_bytes(), "toy_test_9"
    refused = 0
    for number in np.random.default_rng(0).integers(0, 8 * len(sound), size=100).tolist():
        flipped = bytearray(sound)
        flipped[number // 8] ^= 1 << number % 8
        path.write_bytes(flipped)
        try:
            found = read_benchmark(path)
            assert np.array_equal(found.values(metric), toy.values(metric))
            assert found.metrics[metric] == toy.metrics[metric]
            assert found.checksum == toy.checksum
        except SuiteError:
            refused += 1
    # Of a file with checksums of columns, the damage of others is not read at all.
    assert refused >= (75 if earlier else 1)


def test_a_flipped_bit_ends_a_run_with_one_sentence(toy: Benchmark, tmp_path: Path) -> None:
    """Whatever column it is in: before the first trial, and not once in each of them."""
    path, store = tmp_path / "toy.parquet", tmp_path / "r.sqlite"
    write_benchmark(toy, path)
    sound, told = path.read_bytes(), {}
    columns = pq.ParquetFile(path).metadata.row_group(0)
    for number, name in enumerate(toy.columns):
        content = bytearray(sound)
        content[columns.column(number).data_page_offset + 500] ^= 1
        path.write_bytes(content)
        try:
            found = run(path, "random", seeds=2, evaluations=5, store=store)
        except SuiteError as error:
            told[name] = str(error)
        else:
            assert not found.failures
            store.unlink()
    assert {"toy_valid_9", "toy_test_9"} <= told.keys()
    for name, sentence in told.items():
        assert sentence.startswith(f"Column {name!r} of {path} cannot be read")


def test_a_column_whose_name_is_damaged_is_named(toy: Benchmark, tmp_path: Path) -> None:
    path = tmp_path / "toy.parquet"
    write_benchmark(toy, path)
    content = pq.read_table(path)
    names = [name.replace("toy_test_9", "toy_tess_9") for name in content.column_names]
    renamed = content.rename_columns(names).replace_schema_metadata(content.schema.metadata)
    pq.write_table(renamed, path)
    with pytest.raises(SuiteError, match="lacks column 'toy_test_9' that it says it has"):
        read_benchmark(path).values("toy_test_9")


def test_no_figure_can_be_made_writeable(toy: Benchmark, tmp_path: Path) -> None:
    write_benchmark(toy, tmp_path / "toy.parquet")
    values = read_benchmark(tmp_path / "toy.parquet").values("toy_test_9")
    with pytest.raises(ValueError, match="WRITEABLE"):
        values.setflags(write=True)


def test_list(home: Path, source: Path) -> None:
    import_benchmark(source, "mine", "nasbench-macro")
    (home / "benchmarks" / "cut.parquet").write_bytes(written_file(home).read_bytes()[:-100])
    (home / "benchmarks" / "mine.parquet.partial").write_bytes(b"")
    digits, top, cut, mine = list_benchmarks()
    assert (digits.name, top.name, cut.name, mine.name) == ("digits", "digits-top", "cut", "mine")
    assert "not a readable Parquet file" in cut.fault
    assert (mine.space, mine.datasets, mine.metrics) == ("nasbench-macro", ("c",), 2)
    assert (mine.rows, mine.source, mine.fault) == (6561, "source.csv", "")
    assert mine.size == written_file(home).stat().st_size


def test_description_of_the_real_table(shared_data: Path) -> None:
    folder = shared_data / "nasbench201"
    latency = [folder / "latency_ms.parquet"]
    import_benchmark(folder / "accuracy.parquet", "nas201", "nats-tss", latency=latency)
    facts = describe_benchmark("nas201")
    assert json.loads(json.dumps(facts)) == facts
    assert (facts["architectures"], facts["classes"]) == (15625, 6466)
    assert facts["disconnected"] == count_disconnected()
    metrics = {metric["name"]: metric for metric in facts["metrics"]}
    best = metrics["cifar10_test_200"]
    assert best["optimum"]["index"] == 6111
    assert best["optimum"]["value"] == pytest.approx(94.3733, abs=5e-5)
    assert load_space("nats-tss").index(best["optimum"]["architecture"]) == 6111
    assert round(best["noise"]["median_range"], 2) == 0.32
    assert best["noise"]["source"] == "twins"
    assert "noise" not in metrics["fpga"]
    assert metrics["fpga"]["optimum"]["value"] == metrics["fpga"]["min"]


def count_disconnected() -> int:
    """Cells without a path from node 0 to node 3: inclusion-exclusion over the four paths."""
    paths = [{3}, {0, 4}, {1, 5}, {0, 2, 5}]  # edges, in the order of the string
    connected = 0
    for chosen in range(1, 16):
        edges = set().union(*(paths[bit] for bit in range(4) if chosen >> bit & 1))
        sign = 1 if chosen.bit_count() % 2 else -1
        connected += sign * 4 ** len(edges) * 5 ** (6 - len(edges))
    return 15625 - connected


def test_description_says_why_there_is_no_noise_floor(source: Path) -> None:
    frame = pd.read_csv(source, dtype={"arch_str": str})
    frame["c_test_3"] = frame["c_test_3"][MACRO.representatives[MACRO.classes]].to_numpy()
    frame.to_csv(source)
    import_benchmark(source, "mine", "nasbench-macro")
    valid, test = describe_benchmark("mine")["metrics"]
    assert valid["noise"]["source"] == "twins"
    assert test["noise"] is None
    assert "copies" in test["no_noise"]


def test_a_benchmark_made_in_python_is_written_and_read_as_it_is(tmp_path: Path) -> None:
    phone = Metric("phone", quantity="latency", unit="ms", direction="minimize")
    digits = load_benchmark("digits")
    made = digits.with_metric(phone, digits.values("onnxruntime_ms") * 3)
    write_benchmark(made, str(tmp_path / "folder" / "made.parquet"))
    found = load_benchmark(tmp_path / "folder" / "made.parquet")
    assert found.checksum == made.checksum
    assert found.values("phone").tolist() == made.values("phone").tolist()
