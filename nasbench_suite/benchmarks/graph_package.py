"""NAS-Bench-Graph's figures, from the package ``nas-bench-graph`` on PyPI.

Source: Qin, Zhang, Wang, Zhang and Zhu, *NAS-Bench-Graph*, NeurIPS 2022, Apache-2.0. The package
brings one pickle a data set: a dictionary by hash (see ``GraphNetworkSpace.published_hash``) of
validation and test accuracy (share), latency (s) and parameters (millions). The pickles are read
so that nothing in them can run, and the package itself is not imported: it would need torch.

Each figure is the mean of three trainings; the seeds stand in the authors' larger files alone.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.formats import BenchmarkFormat, Progress
from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.table import Benchmark, make_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.safe_pickle import explained, load
from nasbench_suite.spaces import load_space
from nasbench_suite.spaces.graph_networks import GraphNetworkSpace

PACKAGE = "nas-bench-graph"
DATA_SETS = ("cora", "citeseer", "pubmed", "cs", "physics", "photo", "computers", "arxiv")
PROTEINS = "proteins"
SPACE, PROTEINS_SPACE = "nasbench-graph", "nasbench-graph-proteins"
# The key in the pickles, and what the table calls it.
_FIGURES = {"valid_perf": "valid", "perf": "test", "latency": "latency_ms", "para": "params"}


class GraphPackageFormat(BenchmarkFormat):
    """NAS-Bench-Graph: what the package nas-bench-graph brings."""

    installed = True

    def recognise(self, source: Path) -> str | None:
        """See ``BenchmarkFormat``; the figures are in no file of the user's."""
        return None

    def read(
        self, source: Path, *, space: str | None = None, progress: Progress | None = None
    ) -> Benchmark:
        """See ``BenchmarkFormat``; the space ``nasbench-graph-proteins`` is asked for by name."""
        wanted = SPACE if space is None else load_space(space).name
        if wanted not in (SPACE, PROTEINS_SPACE):
            raise SuiteError(
                f"{PACKAGE} brings the spaces {SPACE!r} and {PROTEINS_SPACE!r}, not {wanted!r}."
            )
        return read_package(proteins=wanted == PROTEINS_SPACE, progress=progress)


def package_folder() -> Path:
    """The folder with the pickles in the installed package.

    Raises:
        SuiteError: it is not installed.
    """
    try:
        found = distribution(PACKAGE)
    except PackageNotFoundError:
        raise SuiteError(
            f"The package {PACKAGE} is not installed: pip install --no-deps {PACKAGE}."
        ) from None
    return Path(str(found.locate_file("nas_bench_graph/light")))


def read_package(
    folder: Path | None = None, *, proteins: bool = False, progress: Progress | None = None
) -> Benchmark:
    """The benchmark of the pickles.

    Args:
        folder: where they are; by default in the installed package.
        proteins: the data set ``proteins`` with its own space, instead of the eight others.
        progress: called after each data set.

    Returns:
        The benchmark ``nasbench-graph`` or ``nasbench-graph-proteins``.

    Raises:
        SuiteError: the package is not installed, or a file is missing, damaged, names what it
            must not, or lacks an architecture.
    """
    folder = package_folder() if folder is None else folder
    space = load_space(PROTEINS_SPACE if proteins else SPACE)
    assert isinstance(space, GraphNetworkSpace)
    hashes = [space.published_hash(index) for index in range(space.size)]
    metrics: list[Metric] = []
    columns: dict[str, NDArray[np.float64]] = {}
    names = (PROTEINS,) if proteins else DATA_SETS
    for done, name in enumerate(names, start=1):
        path = folder / f"{name}.bench"
        content = load(path)
        with explained(path):
            figures = _by_architecture(path, content, hashes)
        for key, suffix in _FIGURES.items():
            metric = _metric(name, suffix)
            metrics.append(metric)
            columns[metric.name] = figures[key]
        if progress is not None:
            progress(done * space.size // len(names), space.size)
    return make_benchmark(
        space.name,
        space,
        metrics,
        columns,
        {
            "description": f"NAS-Bench-Graph, {space.size:,} graph neural networks",
            "paper": "Qin et al., NAS-Bench-Graph, NeurIPS 2022",
            "url": "https://github.com/THUMNLab/NAS-Bench-Graph",
            "licence": "Apache-2.0",
            "source": f"package {PACKAGE}",
        },
    )


def _by_architecture(path: Path, content: Any, hashes: list[int]) -> dict[str, NDArray[np.float64]]:
    """Each figure by architecture, in the table's units."""
    missing = [one for one in hashes if one not in content]
    if missing or len(content) != len(hashes):
        raise SuiteError(
            f"{path} has {len(content)} networks and lacks {len(missing)} of the {len(hashes)} of "
            f"NAS-Bench-Graph: install {PACKAGE} again."
        )
    scale = {"valid_perf": 100.0, "perf": 100.0, "latency": 1000.0, "para": 1e6}
    return {
        key: np.array([float(content[one][key]) for one in hashes]) * scale[key] for key in _FIGURES
    }


def _metric(dataset: str, suffix: str) -> Metric:
    name = f"{dataset}_{suffix}"
    if suffix == "latency_ms":
        note = "one forward pass, on the authors' machine"
        return Metric(name, "latency", "ms", "minimize", dataset, provenance="measured", note=note)
    if suffix == "params":
        return Metric(
            name, "parameters", "", "minimize", dataset, provenance="measured", note="counted"
        )
    return Metric(
        name,
        dataset=dataset,
        split="valid" if suffix == "valid" else "test",
        provenance="measured",
        note=f"{'area under the ROC curve, ' * (dataset == PROTEINS)}mean of three trainings, "
        f"whose single figures the package does not have",
    )
