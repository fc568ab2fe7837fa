"""NAS-Bench-301's surrogates, against what its authors' own code answers.

``nasbench301_made.zip`` has small models that their code trained on made-up figures and saved, and
what it answered of 60 cells; ``tests/oracles/nasbench301.py`` made it.
"""

import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nasbench_suite.benchmarks.library import import_benchmark
from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.nasbench301_models import ModelsFormat
from nasbench_suite.benchmarks.surrogates import load_any
from nasbench_suite.benchmarks.table import make_benchmark
from nasbench_suite.benchmarks.table_file import write_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.safe_pickle import load
from nasbench_suite.runner import run
from nasbench_suite.spaces import PoolSpace, load_space
from nasbench_suite.store import ResultStore
from nasbench_suite.testing import FormatContract

MADE = Path(__file__).parent / "nasbench301_made.zip"
MODEL = "surrogate_model.model"
ACCURACY, SECONDS, GIN = "cifar10_valid_97", "cifar10_train_time_97", "cifar10_valid_97_gin"
RUNTIME = "lgb_runtime_v1.0"
FOLDERS = {"xgb_v1.0": "xgb1.2.1", RUNTIME: "xgb1.2.1_runtime", "gnn_gin_v1.0": "gin"}


def unpack(folder, names=None):
    """A folder as the authors' archive has it, with models of their code."""
    target = folder / "nb_models"
    with zipfile.ZipFile(MADE) as made:
        for name, packed in (FOLDERS if names is None else names).items():
            for member in made.namelist():
                if member.startswith(f"{packed}/"):
                    path = target / name / member.removeprefix(f"{packed}/")
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(made.read(member))
    return target


def answered(name):
    """What the authors' code said: genotypes, answers by cell and member, and their means."""
    with zipfile.ZipFile(MADE) as made:
        said = json.loads(made.read(f"{name.removesuffix('_runtime')}.json"))
    members = [said[name]["members"][member] for member in sorted(said[name]["members"])]
    return said["genotypes"], np.transpose(members), np.array(said[name]["mean"])


@pytest.fixture
def models(tmp_path):
    return unpack(tmp_path)


class TestFormat(FormatContract):
    names = ("nas-bench-301",)

    def source(self, name, folder):
        return unpack(folder)


@pytest.mark.parametrize(
    ("packed", "metric", "close"),
    [
        ("xgb1.0.2", ACCURACY, 0),  # before "binf"
        ("xgb1.2.1", ACCURACY, 0),
        ("xgb1.3.3", ACCURACY, 0),  # JSON
        ("xgb1.2.1_runtime", SECONDS, 0),
        ("gin", GIN, 3e-5),  # sums in single precision, in another order
        ("gin-further", GIN, 3e-5),  # the largest node; loops, and edges both ways
    ],
)
def test_answers_are_those_of_the_authors_code(tmp_path, packed, metric, close):
    found = ModelsFormat().read(unpack(tmp_path, {"any": packed}))
    genotypes, members, means = answered(packed)
    cells = [found.space.read(genotype) for genotype in genotypes]
    seeds = range(members.shape[1])
    told = np.stack([found.figures(cells, metric, seed) for seed in seeds], axis=1)
    assert np.abs(told - members).max() <= close
    assert len(np.unique(members)) > 45
    # The authors' mean of XGBoost's single precision is rounded to it.
    assert found.figures(cells, metric) == pytest.approx(means, rel=3e-7)


def test_a_booster_that_stopped_early_answers_up_to_its_best_iteration(tmp_path):
    """As LightGBM 2.3.1 predicts."""
    models = unpack(tmp_path, {RUNTIME: "xgb1.2.1_runtime"})
    for number in range(2):
        assert set(load(member(models, RUNTIME, number))) >= {"handle", "best_iteration"}
        state(member(models, RUNTIME, number), best_iteration=3)
    found = ModelsFormat().read(models).models[SECONDS]
    assert found.trees.tolist() == [3, 3]


def test_an_imported_folder_is_searched(models, home, nasbench):
    ended = nasbench("data", "import", models)
    assert ended.code == 0
    assert "3 metrics of all of space darts" in ended.out
    assert f"{ACCURACY}: no table at hand has its figures" in ended.err
    benchmark = load_any("nas-bench-301")
    assert list(benchmark.metrics) == [ACCURACY, GIN, SECONDS]
    store = home / "r.sqlite"
    run(
        benchmark,
        "random,regularized-evolution",
        seeds=range(2),
        simulated_seconds=200_000,
        judged_by=ACCURACY,
        store=store,
    )
    drawn = {"evaluations": 3, "answers": "sample", "signal": GIN, "judged_by": GIN}
    run(benchmark, "random", seeds=[0], store=store, **drawn)
    with ResultStore(store) as results:
        trials = results.trials()
    assert len(trials) == 5
    ended = nasbench("data", "info", "nas-bench-301")
    assert "XGBoost of NAS-Bench-301's authors, mean of 2 members" in ended.out
    assert "models in nb_models" in nasbench("data", "list").out


def table(home, figures):
    """A table of cells with what a model or chance says of them."""
    space = load_space("darts")
    genotypes, *_ = answered("xgb1.2.1")
    pool = PoolSpace(space, [space.string(space.read(genotype)) for genotype in genotypes])
    metric = Metric("top1_valid", dataset="cifar10", split="valid", epochs=97)
    (home / "benchmarks").mkdir(parents=True, exist_ok=True)
    write_benchmark(
        make_benchmark("cells", pool, [metric], {"top1_valid": figures}, {}),
        home / "benchmarks/cells.parquet",
    )


def test_it_is_held_against_a_table_at_hand(tmp_path, home, nasbench):
    models = unpack(tmp_path, {"xgb_v1.0": "xgb1.2.1"})
    _, members, means = answered("xgb1.2.1")
    table(home, means + 0.25)
    imported = import_benchmark(models, "theirs")
    fit = imported.benchmark.fits[ACCURACY]
    assert (fit.architectures, fit.spearman) == (60, pytest.approx(1))
    assert fit.rmse == pytest.approx(0.25, rel=1e-3)
    assert fit.disagreement == pytest.approx(np.median(members.std(axis=1)))
    assert "on the 60 architectures of benchmark 'cells' Spearman 1.000" in imported.hints[0]
    assert not imported.warnings
    assert "spearman" in nasbench("data", "info", "theirs").out
    table(home, np.random.default_rng(0).normal(90, 1, 60))
    imported = import_benchmark(models, "theirs", overwrite=True)
    assert "hardly ranks the architectures of 'cells'" in imported.warnings[0]


def replaced(content, old, new):
    assert old in content
    return content.replace(old, new)


def member(models, kind="xgb_v1.0", number=0):
    return models / kind / f"ensemble_member_{number}" / MODEL


def edit(path, change):
    path.write_bytes(change(path.read_bytes()))


def model(models, **settings):
    for path in models.rglob("model_config.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))


class _Runs:
    ran = False

    def __reduce__(self):
        return _run, ()


def _run():
    _Runs.ran = True


def state(path, **changed):
    """Write a booster's attributes anew, some of them changed."""
    path.write_bytes(pickle.dumps({**load(path), **changed}))


def handle(path, change):
    """Change a booster's trees."""
    state(path, handle=change(load(path)["handle"]))


def lines(start, value):
    """Every line that begins so gets one value throughout."""

    def change(text):
        return "\n".join(
            start + " ".join([value] * len(line.split())) if line.startswith(start) else line
            for line in text.split("\n")
        )

    return change


BROKEN = {
    "truncated pickle": (
        lambda m: edit(member(m), lambda content: content[: len(content) // 2]),
        "is truncated, damaged",
    ),
    "truncated trees": (lambda m: handle(member(m), lambda b: b[:3000]), "is truncated, damaged"),
    "truncated text": (
        lambda m: handle(member(m, RUNTIME), lambda t: t[: len(t) // 2]),
        "is truncated, damaged",
    ),
    "missing tree": (
        lambda m: handle(member(m, RUNTIME), lambda t: t.replace("\nTree=3\n", "\n")),
        "is truncated, damaged",
    ),
    "truncated network": (
        lambda m: edit(member(m, "gnn_gin_v1.0"), lambda content: content[:-2000]),
        "is truncated, damaged",
    ),
    "code": (lambda m: member(m).write_bytes(pickle.dumps(_Runs())), "could run code"),
    "something else": (
        lambda m: member(m).write_bytes(pickle.dumps({"a": 1})),
        "holds no booster of XGBoost",
    ),
    "no dictionary": (lambda m: member(m).write_bytes(pickle.dumps(3)), "holds no booster"),
    "the other library": (
        lambda m: member(m).write_bytes(member(m, RUNTIME).read_bytes()),
        "holds no booster of XGBoost",
    ),
    "no weights": (
        lambda m: member(m, "gnn_gin_v1.0").write_bytes(pickle.dumps({"a": 1})),
        "holds no weights of a network",
    ),
    "another network": (
        lambda m: model(m / "gnn_gin_v1.0", virtual_node=False),
        "no virtual node is not read",
    ),
    "missing settings": (
        lambda m: (member(m).parent / "model_config.json").write_text("{"),
        "is truncated, damaged",
    ),
    "missing member": (lambda m: member(m, number=1).unlink(), "ensemble_member_1 lacks"),
    "missing folder": (
        lambda m: [path.unlink() for path in member(m).parent.iterdir()],
        "lacks ensemble_member_0",
    ),
    "no model": (lambda m: model(m, model=["xgb"]), r"holds a model \"\['xgb'\]\""),
    "names that are none": (
        lambda m: state(member(m), feature_names=[None] * 56),
        "is truncated, damaged",
    ),
    "another model": (lambda m: model(m, model="svr"), "holds a model 'svr'"),
    "BANANAS": (lambda m: model(m, **{"param:bananas_enc": True}), "encoding of BANANAS"),
    "two versions": (
        lambda m: (m / "xgb_v1.0").rename(m / "xgb_v0.9"),
        r"several versions \(0.9, 1.0\)",
    ),
    "features of another space": (
        lambda m: handle(
            member(m, RUNTIME), lambda t: replaced(t, "max_feature_idx=55", "max_feature_idx=33")
        ),
        "grown on 34 features",
    ),
    "features in another order": (
        lambda m: handle(member(m, RUNTIME), lines("threshold=", "97.5")),
        "its features are others or stand in another order",
    ),
    "features that are not there": (
        lambda m: handle(member(m, RUNTIME), lines("split_feature=", "77")),
        "is truncated, damaged",
    ),
    "splits at no number": (
        lambda m: handle(member(m, RUNTIME), lines("threshold=", "nan")),
        "its features are others or stand in another order",
    ),
    "named features": (
        lambda m: handle(member(m, RUNTIME), lambda t: replaced(t, "Column_7", "depth")),
        "names its features",
    ),
    "another objective": (
        lambda m: handle(
            member(m), lambda b: replaced(b, b"reg:squarederror", b"binary:logistics")
        ),
        "and read is only a regression",
    ),
    "another objective of the other": (
        lambda m: handle(
            member(m, RUNTIME), lambda t: replaced(t, "objective=regression", "objective=binary")
        ),
        "and read is only a regression",
    ),
    "categories": (
        lambda m: handle(
            member(m, RUNTIME), lambda t: replaced(t, "decision_type=2", "decision_type=1")
        ),
        "splits by category",
    ),
    "UBJSON": (lambda m: handle(member(m), lambda b: b"{L" + b), "is in XGBoost's UBJSON"),
    "a circle": (
        lambda m: handle(member(m, RUNTIME), lines("left_child=", "0")),
        "is truncated, damaged",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_what_is_broken_is_said_and_nothing_is_run(models, home, nasbench, fault):
    change, sentence = BROKEN[fault]
    change(models)
    with pytest.raises(SuiteError, match=sentence) as caught:
        import_benchmark(models)
    assert str(caught.value).count("\n") == 0
    ended = nasbench("data", "import", models)
    assert ended.code == 2
    assert not (home / "benchmarks/nas-bench-301.surrogate").exists()
    assert not _Runs.ran


def test_what_cannot_be_is_said_and_nothing_is_lost(models, home, tmp_path):
    import_benchmark(models)
    path = home / "benchmarks/nas-bench-301.surrogate"
    before = path.read_bytes()
    for options, sentence in (
        ({}, "replace it with --overwrite"),
        ({"space": "nats-tss", "overwrite": True}, "surrogates of space 'darts'"),
        ({"latency": [tmp_path / "x.csv"], "overwrite": True}, "leave out --latency"),
    ):
        with pytest.raises(SuiteError, match=sentence):
            import_benchmark(models, **options)
    with pytest.raises(SuiteError, match=f"holds no {MODEL}"):
        import_benchmark(home, "x", form="nas-bench-301")
    assert path.read_bytes() == before


@pytest.mark.parametrize("kept", ["cifar10_valid_97", "cifar10_valid_97_gin"])
def test_a_kept_file_with_other_arrays_is_refused(models, home, kept):
    import_benchmark(models)
    path = home / "benchmarks/nas-bench-301.surrogate"
    with np.load(path) as content:
        arrays = dict(content)
    place = [ACCURACY, GIN, SECONDS].index(kept)
    name = f"{place}.below" if place == 0 else f"{place}.graph_pred_linear.bias"
    for changed in (np.zeros_like(arrays[name]), arrays[name][:-1]):
        np.savez(path.with_suffix(".npz"), **{**arrays, name: changed})
        path.with_suffix(".npz").replace(path)
        with pytest.raises(SuiteError, match="truncated, damaged"):
            load_any("nas-bench-301")


@pytest.mark.parametrize("name", ["0.feature", "0.question", "0.below", "0.roots", "0.trees"])
def test_places_that_are_no_whole_numbers_are_refused_whatever_the_checksum(models, home, name):
    import_benchmark(models)
    path = home / "benchmarks/nas-bench-301.surrogate"
    with np.load(path) as content:
        arrays = dict(content)
    np.savez(path.with_suffix(".npz"), **{**arrays, name: arrays[name].astype(float)})
    path.with_suffix(".npz").replace(path)
    with pytest.raises(SuiteError, match="its models are none"):
        load_any("nas-bench-301")
