"""Latency of a device from few measurements and the tables of other devices."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from hardware.transfer import (
    CHOICES,
    TRANSFERS,
    _kernel,
    _regress,
    make_sources,
    summarise,
    transfer_curves,
)
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import load_space
from nasbench_suite.tasks.transfer import device_family

SPACE = load_space("nats-tss")
ROWS = np.sort(np.random.default_rng(0).permutation(SPACE.size)[:400])


def devices() -> dict[str, np.ndarray]:
    """Two kinds of devices, mixtures of which the others are, and one unlike any."""
    rng = np.random.default_rng(1)
    vectors = SPACE.all_vectors[ROWS]
    one, other, odd = (
        1 + rng.exponential(size=(6, 5))[np.arange(6), vectors].sum(axis=1) for _ in range(3)
    )
    shares = {"a_1": 0.9, "a_32": 0.9, "b": 0.6, "c": 0.3, "d": 0.1}
    columns = {name: share * one + (1 - share) * other for name, share in shares.items()}
    return {**columns, "odd": odd}


def curves(**settings: object):
    chosen = {"sizes": [10], "repeats": 3, "predictors": ["no-transfer", "cross-validated"]}
    return transfer_curves(SPACE, ROWS, devices(), **{**chosen, **settings})


def test_other_devices_help_where_they_are_alike_and_do_not_hurt_elsewhere() -> None:
    found = curves(targets=["c", "odd"], sources=["a_1", "b", "d"], repeats=8)
    means = found.groupby(["device", "predictor"])["spearman"].mean()
    assert means["c", "cross-validated"] > 0.99 > means["c", "no-transfer"] + 0.05
    assert means["odd", "cross-validated"] > means["odd", "no-transfer"] - 0.05


def test_siblings_are_left_out_unless_allowed() -> None:
    assert device_family("1080ti_256_ms") == device_family("1080ti_1") == "1080ti"
    assert device_family("gold_6226") == "gold_6226"
    only = {"targets": ["a_1"], "predictors": ["nearest-device"]}
    assert (curves(siblings=True, **only)["spearman"] > 1 - 1e-9).all()
    assert (curves(**only)["spearman"] < 0.999).all()
    with pytest.raises(SuiteError, match="No device is left"):
        curves(targets=["a_1"], sources=["a_32"])


def test_leaving_one_out_is_predicting_it_from_the_others() -> None:
    """The penalty chosen is that of least error, by fitting anew without each measurement."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 5)) / np.sqrt(5)
    targets = features @ rng.normal(size=5) + 0.3 * rng.normal(size=60)
    measured = np.arange(20)
    kernels = [
        _kernel([(1 - share, features), (share, features[:, :1])], measured) for share in (0.0, 0.5)
    ]
    values = (targets[:20] - targets[:20].mean()) / targets[:20].std()
    errors = {}
    for kernel in kernels:
        prior = kernel(np.arange(60)) + 10.0
        for penalty in np.geomspace(1e-4, 10.0, 11):
            own, left = prior[:20] + penalty * np.eye(20), []
            for out in range(20):
                kept = np.delete(np.arange(20), out)
                weights = np.linalg.solve(own[np.ix_(kept, kept)], values[kept])
                left.append(prior[out, kept] @ weights - values[out])
            whole = prior @ np.linalg.solve(own, values)
            errors[np.mean(np.square(left))] = whole
    best = targets[:20].mean() + targets[:20].std() * errors[min(errors)]
    assert_allclose(_regress(kernels, measured, targets), best, atol=1e-8)


def test_a_prediction_reads_what_was_measured_alone() -> None:
    columns = devices()
    said = make_sources(
        SPACE.all_vectors[ROWS].astype(float), np.column_stack([columns["a_1"], columns["b"]])
    )
    measured = CHOICES["spread"](said, 12, np.random.default_rng(0))
    logs = np.log(columns["c"])
    hidden = np.full_like(logs, np.nan)
    hidden[measured] = logs[measured]
    for name, predict in TRANSFERS.items():
        assert_array_equal(predict(said, measured, hidden), predict(said, measured, logs), name)


def test_sources_measured_in_part_say_nothing_of_their_other_rows() -> None:
    columns, known = devices(), np.arange(0, 400, 2)
    latencies = np.column_stack([columns["a_1"], columns["b"]])
    altered = latencies.copy()
    altered[1::2] *= 7
    own = SPACE.all_vectors[ROWS].astype(float)
    one, other = (make_sources(own, table, known).devices for table in (latencies, altered))
    assert_array_equal(one, other)


def test_every_choice_measures_different_architectures_by_its_seed() -> None:
    said = make_sources(SPACE.all_vectors[ROWS].astype(float), np.column_stack([devices()["b"]]))
    for choose in CHOICES.values():
        one, again, other = (choose(said, 30, np.random.default_rng(seed)) for seed in (0, 0, 1))
        assert_array_equal(one, again)
        assert len(set(one.tolist())) == 30
        if choose is not CHOICES["spread"]:  # of a small table it takes the same ones
            assert set(one.tolist()) != set(other.tolist())


def test_a_device_is_predicted_the_same_whatever_others_are() -> None:
    alone = curves(targets=["b"])
    beside = curves(targets=["c", "b"])
    assert_array_equal(alone["spearman"], beside.loc[beside["device"] == "b", "spearman"])
    assert summarise(beside).shape == (2, 2)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"targets": ["e"]}, "Unknown device 'e'"),
        ({"targets": ["b"], "sources": ["b", "c"]}, "cannot be a target and a source"),
        ({"predictors": ["magic"]}, "Unknown transfer predictor"),
        ({"choices": ["magic"]}, "Unknown choice"),
        ({"sizes": [1]}, "too few"),
        ({"repeats": 0}, "0 draws of each size"),
        ({"source_rows": 399}, "too little"),
    ],
)
def test_bad_input_is_one_sentence(settings: dict[str, object], said: str) -> None:
    with pytest.raises(SuiteError, match=said):
        curves(**settings)
