"""The contracts of the suite, run on the parts of this package: three lines each."""

from typing import ClassVar

from hardware.testing import RuntimeContract
from nasbench_suite.testing import (
    ExecutorContract,
    FormatContract,
    MethodContract,
    PredictorContract,
    ProxyContract,
    SpaceContract,
    SupernetContract,
)


class TestMethod(MethodContract):
    names = ("coordinate-descent",)


class TestSupernet(SupernetContract):
    names = ("constant-darts",)
    settings: ClassVar = {"constant-darts": {"epochs": 3, "batch_size": 300}}


class TestSpace(SpaceContract):
    names = ("layers",)


class TestProxy(ProxyContract):
    names = ("widths",)


class TestPredictor(PredictorContract):
    names = ("nearest",)


class TestExecutor(ExecutorContract):
    names = ("backwards",)


class TestRuntime(RuntimeContract):
    names = ("one-by-one",)


class TestFormat(FormatContract):
    names = ("layers-text",)

    def source(self, name, folder):
        from nasbench_suite import load_space

        lines = [f"{text} {50 + n / 10} {60 + n / 9}" for n, text in enumerate(strings(load_space))]
        (folder / "layers.txt").write_text("\n".join(["layers 1.0", *lines]) + "\n")
        return folder / "layers.txt"


def strings(load_space):
    return load_space("layers").all_strings
