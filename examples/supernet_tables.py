"""What supernets derived and logged, method by method: the tables of docs/claim.md.

python examples/supernet_tables.py results.sqlite [numbers]

Searches of one method on a GPU and on a processor are taken together. With the numbers of methods,
such as 1,4, it tells how all others differ from these: by the means of all seeds, as no seed draws
the same twice where devices differ. Without a file it searches the embedded digits first, two seeds
of two epochs.
"""

import sys

import numpy as np
import pandas as pd
from scipy.special import softmax
from scipy.stats import bootstrap, permutation_test, spearmanr

from nasbench_suite import load_benchmark, run
from nasbench_suite.analysis.results import read_results
from nasbench_suite.parsing import parse_part
from nasbench_suite.spaces.topology import OPERATIONS

given = sys.argv[1:]
file = given[0] if given else "supernets.sqlite"
bases = [int(number) for number in given[1].split(",")] if len(given) > 1 else [1]
if not given:
    short = "epochs=2,diagnose_every=1,eigenvalue_every=1"
    run("digits", f"darts[{short}],vs-darts[{short}]", seeds=range(2), store=file)

SKIP, POOL, CONV = (OPERATIONS.index(o) for o in ("skip_connect", "avg_pool_3x3", "nor_conv_3x3"))


def ranking(alpha, cells, figures):
    """Spearman's correlation of the sum of a cell's parameters with its figure, over all cells."""
    return spearmanr(alpha[np.arange(len(alpha)), cells].sum(axis=1), figures).statistic


def told(store, trials, table, task):
    """What one method derived and logged, a figure by name."""
    test, cells = table.values(task.report_metric), table.space.all_vectors
    figures, derived = trials["report"], cells[trials["architecture"].astype(int)]
    row = {
        "seeds": len(trials),
        "mean": figures.mean(),
        "sd": figures.std(),
        "worst": figures.min(),
        "collapsed": (figures < np.quantile(test, 0.05)).sum(),
        "skip": (derived == SKIP).sum(axis=1).mean(),
        "pool": (derived == POOL).sum(axis=1).mean(),
        "rank": np.median([(test > figure).sum() + 1 for figure in figures]),
        "seconds": trials["wall_seconds"].mean(),
    }
    changes = store.incumbents(trials["trial"])
    for epoch in (1, 10, 20, 30, 40, 50):
        then = changes[changes["training"] <= epoch].groupby("trial")["report"].last()
        row[f"after {epoch}"] = then.median()
    logged = store.diagnostics(trials=trials["trial"])
    last = logged.groupby(["name", "trial"]).tail(1).groupby("name")["value"].apply(list)
    if "alpha" in last:
        alphas = [value.reshape(cells.shape[1], -1) for value in last["alpha"]]
        row["entropy"] = np.mean([float(value) for value in last["entropy"]])
        share = softmax(alphas, axis=-1).mean(axis=(0, 1))
        row |= {"skip β": share[SKIP], "pool β": share[POOL], "3x3 β": share[CONV]}
        row["ranks, last"] = np.mean([ranking(alpha, cells, test) for alpha in alphas])
        tenth = logged[(logged["name"] == "alpha") & (logged["step"] == 10)]["value"]
        early = [ranking(value.reshape(cells.shape[1], -1), cells, test) for value in tenth]
        row["ranks, 10"] = np.mean(early) if early else np.nan
    if "node_variance" in last:
        row["variances"] = np.median([value.max() / value.min() for value in last["node_variance"]])
    eigenvalues = logged[logged["name"] == "dominant_eigenvalue"].groupby("step")["value"]
    for epoch, values in eigenvalues:
        row[f"eigenvalue {epoch}"] = np.median([float(value) for value in values])
    return row


def anywhere(label):
    """The label of a method without where it was computed."""
    name, settings = parse_part(label)
    kept = [f"{k}={v}" for k, v in settings.items() if k not in ("device", "cuda_graphs")]
    return f"{name}[{','.join(kept)}]"


def mean_difference(one, other, axis=-1):
    """What the test and the interval are of."""
    return one.mean(axis=axis) - other.mean(axis=axis)


def difference(one, other):
    """Of two means: with its interval of 95 %, and p by exchange of all seeds, two-sided."""
    if min(len(one), len(other)) < 3:
        return f"{mean_difference(one, other):.1f}"
    rng = np.random.default_rng(0)
    test = permutation_test((one, other), mean_difference, n_resamples=200_000, rng=rng)
    drawn = bootstrap((one, other), mean_difference, method="percentile", rng=rng)
    low, high = drawn.confidence_interval
    return f"{test.statistic:.1f} [{low:.1f}, {high:.1f}] p={test.pvalue:.3f}"


results = read_results(file)
finished = results.finished.assign(
    method=results.finished["method"].map(anywhere),
    table=[
        (results.tasks[key].benchmark, results.tasks[key].dataset)
        for key in results.finished["task_key"]
    ],
)
for (benchmark, dataset), searches in finished.groupby("table"):
    table, task = load_benchmark(benchmark), results.tasks[searches["task_key"].iloc[0]]
    print(f"{benchmark}, {dataset}: collapsed below the fifth percentile")
    columns, figures = {}, {}
    for number, (method, trials) in enumerate(searches.groupby("method", sort=False), start=1):
        print(f"{number}: {method}")
        columns[number] = told(results.store, trials, table, task)
        figures[number] = trials["report"].to_numpy()
        print(
            "  ",
            *(
                f"{seed}: {report:.2f}"
                for seed, report in sorted(zip(trials["seed"], figures[number], strict=True))
            ),
        )
    print(pd.DataFrame(columns).to_string(float_format="{:.3f}".format, na_rep="-"))
    print(f"Differences from {bases}")
    for number, own in figures.items():
        print(number, *(difference(own, figures[b]) for b in bases if b != number), sep="; ")
