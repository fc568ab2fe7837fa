"""Surrogates: scikit-learn's answers, honest folds, safe files."""

import zipfile

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingRegressor

from nasbench_suite.benchmarks import surrogate as surrogates
from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.surrogate import fit_surrogate, read_surrogate, write_surrogate
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import load_space

METRIC = Metric("top1", dataset="imagenet", split="valid")


@pytest.fixture(scope="module")
def space():
    return load_space("mnasnet")


@pytest.fixture(scope="module")
def measured(space):
    """300 networks with an accuracy that is additive over choices, and noise of 0.3."""
    rng = np.random.default_rng(0)
    networks = [space.sample(rng) for _ in range(300)]
    worth = rng.normal(size=sum(space.choices))
    clean = space.features(networks) @ worth
    return networks, 60 + clean + rng.normal(scale=0.3, size=len(networks)), worth


@pytest.fixture(scope="module")
def fitted(space, measured):
    networks, accuracy, _ = measured
    return fit_surrogate("small", space, networks, {"top1": METRIC}, {"top1": accuracy})


def test_exported_trees_answer_as_scikit_learn(space, measured):
    networks, accuracy, _ = measured
    features = space.features(networks)
    models = [
        GradientBoostingRegressor(n_estimators=20, max_depth=depth, random_state=depth).fit(
            features, accuracy
        )
        for depth in (1, 4)
    ]
    answers = surrogates._export(models).predict(features)
    for member, model in enumerate(models):
        np.testing.assert_allclose(answers[:, member], model.predict(features), rtol=1e-12)


def test_thresholds_between_float32_values_keep_every_feature_on_its_side():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(500, 3)).astype(np.float32)
    model = GradientBoostingRegressor(n_estimators=30, max_depth=5).fit(features, features[:, 0])
    answers = surrogates._export([model]).predict(features)
    np.testing.assert_allclose(answers[:, 0], model.predict(features), rtol=1e-12)


def test_answers_rank_architectures_never_seen(space, measured, fitted):
    _, _, worth = measured
    rng = np.random.default_rng(1)
    networks = [space.sample(rng) for _ in range(300)]
    clean = space.features(networks) @ worth
    rank = pd.Series(fitted.predict(networks, "top1")).corr(pd.Series(clean), method="spearman")
    said = fitted.fits["top1"].spearman
    assert rank > 0.7
    assert said == pytest.approx(rank, abs=0.1)


def test_figures_without_a_pattern_are_said_to_be_unpredictable(space, measured):
    networks, _, _ = measured
    noise = np.random.default_rng(2).normal(size=len(networks))
    fit = fit_surrogate("noise", space, networks, {"top1": METRIC}, {"top1": noise}).fits["top1"]
    assert abs(fit.spearman) < 0.2
    assert fit.rmse > 0.9 * fit.spread


def test_twins_are_in_one_fold(measured):
    """Twice the same architectures: were they parted, noise would be predicted from the twin."""
    space = load_space("mnasnet")
    networks, _, _ = measured
    noise = np.random.default_rng(3).normal(size=len(networks))
    fit = fit_surrogate(
        "twins", space, networks * 2, {"top1": METRIC}, {"top1": np.tile(noise, 2)}
    ).fits["top1"]
    assert abs(fit.spearman) < 0.2


def test_members_differ_and_their_mean_is_the_answer(fitted, measured):
    networks = measured[0][:5]
    members = [fitted.predict(networks, "top1", member) for member in range(surrogates.FOLDS)]
    np.testing.assert_allclose(np.mean(members, axis=0), fitted.predict(networks, "top1"))
    assert np.std(members, axis=0).min() > 0
    with pytest.raises(SuiteError, match="members 0 to 4"):
        fitted.predict(networks, "top1", 5)
    with pytest.raises(SuiteError, match="metric 'top5' of surrogate"):
        fitted.predict(networks, "top5")


def test_metric_says_that_it_is_modelled_and_how_well(fitted):
    metric = fitted.metrics["top1"]
    assert metric.provenance == "modelled"
    assert f"Spearman {fitted.fits['top1'].spearman:.3f}" in metric.note


def test_same_seed_same_surrogate(space, measured, fitted):
    networks, accuracy, _ = measured
    again = fit_surrogate("again", space, networks, {"top1": METRIC}, {"top1": accuracy})
    other = fit_surrogate("other", space, networks, {"top1": METRIC}, {"top1": accuracy}, seed=1)
    assert again.checksum == fitted.checksum != other.checksum


def test_missing_figures_are_left_out(space, measured):
    networks, accuracy, _ = measured
    gaps = accuracy.copy()
    gaps[::3] = np.nan
    fit = fit_surrogate("gaps", space, networks, {"top1": METRIC}, {"top1": gaps}).fits["top1"]
    assert fit.architectures == 200


def test_too_few_or_equal_figures_are_refused(space, measured):
    networks, accuracy, _ = measured
    for count, figures in ((20, accuracy[:20]), (300, np.ones(300))):
        with pytest.raises(SuiteError, match="at least 50"):
            fit_surrogate("few", space, networks[:count], {"top1": METRIC}, {"top1": figures})


@pytest.mark.parametrize("seed", [-1, 10**9])
def test_seeds_that_no_trees_take_are_refused(space, measured, seed):
    networks, accuracy, _ = measured
    with pytest.raises(SuiteError, match=f"^{seed} is no seed"):
        fit_surrogate("none", space, networks, {"top1": METRIC}, {"top1": accuracy}, seed=seed)


def test_written_surrogate_comes_back(fitted, measured, tmp_path):
    path = tmp_path / "folder" / "small.npz"
    write_surrogate(fitted, path)
    back = read_surrogate(path, "mnasnet")
    assert (back.name, back.metrics, back.fits) == (fitted.name, fitted.metrics, fitted.fits)
    networks = measured[0]
    assert back.predict(networks, "top1").tolist() == fitted.predict(networks, "top1").tolist()
    assert [file.name for file in path.parent.iterdir()] == ["small.npz"]


def test_surrogate_of_another_space_is_refused(fitted, tmp_path):
    path = tmp_path / "small.npz"
    write_surrogate(fitted, path)
    with pytest.raises(SuiteError, match="of space 'mnasnet', not of 'fbnet'"):
        read_surrogate(path, "fbnet")
    with pytest.raises(SuiteError, match="no surrogate"):
        read_surrogate(tmp_path / "none.npz")


def test_damaged_files_are_refused(fitted, tmp_path):
    path = tmp_path / "small.npz"
    write_surrogate(fitted, path)
    whole = path.read_bytes()
    for kept in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:kept])
        with pytest.raises(SuiteError, match="truncated, damaged or no surrogate"):
            read_surrogate(path)
    rng = np.random.default_rng(0)
    for place in rng.integers(len(whole), size=60).tolist():
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            back = read_surrogate(path)  # a byte of the zip file that nobody reads
        except SuiteError:
            continue
        assert back.checksum == fitted.checksum


def _rewrite(path, change):
    with np.load(path) as content:
        arrays = dict(content)
    change(arrays)
    np.savez_compressed(path, **arrays)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda arrays: arrays.update({"0.feature": arrays["0.feature"] + 500}), "models are none"),
        (lambda arrays: arrays.update({"0.value": arrays["0.value"][..., :3]}), "models are none"),
        (lambda arrays: arrays.update({"0.value": arrays["0.value"] + 1}), "checksum is another"),
        (lambda arrays: arrays.pop("0.start"), "damaged"),
        (lambda arrays: arrays.update(surrogate=np.zeros(3, np.uint8)), "damaged"),
    ],
)
def test_files_that_say_what_cannot_be_are_refused(fitted, tmp_path, change, sentence):
    path = tmp_path / "small.npz"
    write_surrogate(fitted, path)
    _rewrite(path, change)
    with pytest.raises(SuiteError, match=sentence):
        read_surrogate(path)


def test_pickle_in_the_file_is_not_run(fitted, tmp_path):
    path = tmp_path / "small.npz"
    write_surrogate(fitted, path)
    ran = tmp_path / "ran"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("0.extra.npy", b"cpathlib\nPath\n(S'" + str(ran).encode() + b"'\ntR.")
    read_surrogate(path)
    _rewrite_raw(path, "0.start.npy", b"cos\nmkdir\n(S'" + str(ran).encode() + b"'\ntR.")
    with pytest.raises(SuiteError, match="damaged"):
        read_surrogate(path)
    assert not ran.exists()


def _rewrite_raw(path, name, content):
    with zipfile.ZipFile(path) as archive:
        entries = {entry: archive.read(entry) for entry in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for entry, data in {**entries, name: content}.items():
            archive.writestr(entry, data)


def test_real_networks_of_imagenet(shared_data, space):
    """Accel-NASBench's own surrogate on the same networks: Spearman 0.990 (its README)."""
    table = pd.read_parquet(shared_data / "mobile/accel_nasbench_imagenet.parquet").head(1500)
    networks = [space.read(row) for row in table.to_dict("records")]
    fit = fit_surrogate(
        "anb", space, networks, {"top1": METRIC}, {"top1": table.val_top1.to_numpy()}
    ).fits["top1"]
    assert 0.97 < fit.spearman < 0.995
    assert fit.rmse < fit.spread / 4
