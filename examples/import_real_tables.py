"""Import published tables from a folder, say what is in each, and search every one of them.

    python examples/import_real_tables.py FOLDER                     # import and describe
    python examples/import_real_tables.py FOLDER --keep --search     # and run six methods on each

A search that was interrupted goes on where it stopped.

The folder holds Parquet files as ``README.md`` in it describes; a table whose file is not there is
passed over. Benchmarks go where ``nasbench data import`` puts them (``$NASBENCH_HOME``).
"""

from __future__ import annotations

import argparse
import ast
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nasbench_suite import leaderboard
from nasbench_suite.benchmarks import load_benchmark
from nasbench_suite.benchmarks.library import describe_benchmark, import_benchmark
from nasbench_suite.benchmarks.structures import spelled
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner.runs import make_tasks, run_tasks
from nasbench_suite.spaces import load_space, nasbench101

METHODS = {
    "random": "random",
    "local-search": "local-search",
    "regularized-evolution": "regularized-evolution[population_size=20,sample_size=5]",
    "tpe": "tpe",
    "nsga2": "nsga2",
    "bananas": "bananas",
}
"""By the names of the columns; populations are small enough to evolve within 100 evaluations."""
MULTI_OBJECTIVE = ("nsga2",)
Facts = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class RealTable:
    """A published table and how it is read and searched.

    Attributes:
        name: of the benchmark.
        space: that its architectures are of.
        read: makes the table from the folder; or a path to what the suite reads by itself.
        signal: the metric that a search sees.
        report: the metric that it is judged by; the signal where there is nothing else.
        second: a second objective.
        facts: what metrics are, beyond what the names of their columns say.
        partial: whether it is of a sample of a space that could be listed.
    """

    name: str
    space: str
    read: Callable[[Path], pd.DataFrame | Path | str]
    signal: str
    report: str
    second: str
    facts: Facts = field(default_factory=dict)
    partial: bool = False


def described(quantity: str, direction: str, unit: str = "", **more: Any) -> dict[str, Any]:
    """Facts on a metric that its name does not tell."""
    return {"quantity": quantity, "direction": direction, "unit": unit, **more}


# -- NAS-Bench-201 -------------------------------------------------------------------------------


def nas201(folder: Path) -> pd.DataFrame:
    """Accuracies, and the seconds of the 12-epoch training."""
    costs = pd.read_parquet(folder / "nasbench201/valid_200_and_cost.parquet")
    costs = costs.rename(columns={"cifar10_train_seconds_12": "cifar10_train_time_12"})
    accuracy = pd.read_parquet(folder / "nasbench201/accuracy.parquet")
    return accuracy.merge(costs.drop(columns="arch_str"), on="arch_index").drop(
        columns=["arch_index", "unique_str"]
    )


def nas201_with(file: str) -> Callable[[Path], pd.DataFrame]:
    """The figures of another file, and CIFAR-10's accuracies beside them."""

    def read(folder: Path) -> pd.DataFrame:
        other = pd.read_parquet(folder / "nasbench201" / file).drop(
            columns=["arch_str", "representative_index"], errors="ignore"
        )
        accuracy = pd.read_parquet(folder / "nasbench201/accuracy.parquet")
        valid = pd.read_parquet(folder / "nasbench201/valid_200_and_cost.parquet")
        accuracy["cifar10_valid_200"] = valid.cifar10_valid_200
        columns = ["arch_index", "arch_str", "cifar10_valid_200", "cifar10_test_200"]
        merged = accuracy[columns].merge(other.astype({"arch_index": int}), on="arch_index")
        return merged.drop(columns="arch_index")

    return read


def hw_nas_bench(folder: Path) -> pd.DataFrame:
    """HW-NAS-Bench; -1 on edgetpu stands for a model that the compiler refused."""
    table = nas201_with("hw_nas_bench.parquet")(folder)
    refused = [column for column in table if "edgetpu" in column]
    table[refused] = table[refused].where(table[refused] >= 0)
    renamed = {c: c.removesuffix("_latency") + "_ms" for c in table if c.endswith("_latency")}
    renamed |= {c: c.removesuffix("_energy") + "_mj" for c in table if c.endswith("_energy")}
    return table.rename(columns=renamed)


# -- NAS-Bench-101 -------------------------------------------------------------------------------


def module_string(adjacency: str, operations: str) -> str:
    """The suite's string of a module from its published lists."""
    module = nasbench101.make_module(ast.literal_eval(adjacency), ast.literal_eval(operations))
    return nasbench101.format_module(nasbench101.prune(module) or module)


def nb101(folder: Path) -> pd.DataFrame:
    """All rows by their hashes, of which 1,000 have a graph beside; the import finds the others.

    Figures are means, and shares as published.
    """
    table = pd.read_parquet(folder / "nasbench101/partial.parquet")
    figures = {
        f"cifar10_valid_{epochs}": 100 * table[f"{epochs}ep_valid"] for epochs in (4, 12, 36, 108)
    }
    return pd.DataFrame(
        {
            "hash": table.key,
            **figures,
            "cifar10_train_time_108": table.final_training_time,
            "params": table.trainable_parameters,
        }
    )


def nb101_energy(folder: Path) -> pd.DataFrame:
    """EC-NAS: trainings of 4 epochs, several of a module, and their energy."""
    table = pd.read_parquet(folder / "nasbench101/energy_4v5v.parquet")
    table["architecture"] = [
        module_string(*row) for row in zip(table.adjacency, table.labels, strict=True)
    ]
    table["training"] = table.groupby("hash").cumcount()
    figures = {"valid_4": "cifar10_valid_4", "test_4": "cifar10_test_4", "energy_kwh": "energy_kwh"}
    table[["valid_4", "test_4"]] *= 100
    wide = table.pivot(index="architecture", columns="training", values=list(figures))
    wide.columns = [f"{figures[figure]}@{training}" for figure, training in wide.columns]
    return wide.reset_index()


def nb101_proxies(folder: Path) -> pd.DataFrame:
    """NASLib's 500 cells, whose specification is a matrix and operations as numbers."""
    table = pd.read_parquet(folder / "nasbench101/zero_cost_500.parquet")
    modules = list(map(nasbench101.parse_module, spelled(table, load_space("nasbench101"))[0].spec))
    strings = [nasbench101.format_module(nasbench101.prune(one) or one) for one in modules]
    return without_twins(
        table.drop(columns="spec")
        .assign(architecture=strings)
        .rename(columns={"val_accuracy": "cifar10_valid_108"}),
        [nasbench101.graph_hash(nasbench101.parse_module(string)) for string in strings],
    )


def without_twins(table: pd.DataFrame, keys: Iterable[object]) -> pd.DataFrame:
    """The first row of each key, with the mean of the numbers of all of its rows."""
    grouped = table.groupby(pd.Series(list(keys), index=table.index), sort=False)
    first = grouped.first()
    numbers = table.select_dtypes("number").columns
    first[numbers] = grouped[list(numbers)].mean()
    return first.reset_index(drop=True)


# -- others ----------------------------------------------------------------------------------------


def transnas(which: str) -> Callable[[Path], pd.DataFrame]:
    """Validation figures of seven tasks; ``room_layout`` is a loss, negated as published."""

    def read(folder: Path) -> pd.DataFrame:
        table = pd.read_parquet(folder / f"transnas101/{which}.parquet")
        table["room_layout_val"] = -table["room_layout_val"]
        table = table.rename(
            columns={"room_layout_val": "room_layout_valid_loss", "arch": "architecture"}
        )
        return table[[c for c in table if not c.endswith(("_zen", "_synflow"))]]

    return read


TRANSNAS_FACTS: Facts = {
    "autoencoder_val": described(
        "similarity", "maximize", dataset="autoencoder", split="valid", note="SSIM"
    ),
    "normal_val": described("similarity", "maximize", dataset="normal", split="valid", note="SSIM"),
}


def mnasnet(folder: Path) -> pd.DataFrame:
    """Accel-NASBench's networks; 13 were trained twice, and are here with their mean."""
    table = pd.read_parquet(folder / "mobile/accel_nasbench_imagenet.parquet")
    table, _ = spelled(table, load_space("mnasnet"))
    kept = table[[c for c in table if not c.endswith("_std")]].drop(columns=["id", "val_top5"])
    renamed = {
        "val_top1": "imagenet_valid",
        "train_time": "imagenet_train_time",
        "latency_zcu102_mean": "zcu102_ms",
        "latency_vck190_mean": "vck190_ms",
    }
    return without_twins(kept.rename(columns=renamed), kept.arch_str)


def file(name: str, **renamed: str) -> Callable[[Path], pd.DataFrame]:
    """A table as it is but for the names of some columns."""
    return lambda folder: pd.read_parquet(folder / name).rename(columns=renamed)


def darts_sample(folder: Path) -> pd.DataFrame:
    """NAS-Bench-301's figures of 1,218 DARTS cells, once each."""
    table = pd.read_parquet(folder / "darts/nasbench301_sample.parquet")
    strings = spelled(table, load_space("darts"))[0].genotype.tolist()
    table = table.rename(columns={"val_accuracy": "cifar10_valid_97"})
    kept = table[["flops", "params", "cifar10_valid_97", "synflow"]].assign(architecture=strings)
    return without_twins(kept, strings)


def source(name: str) -> Callable[[Path], Path | str]:
    """What the suite reads by itself: a path in the folder, or the name of a package's format."""
    return lambda folder: folder / name if (folder / name).exists() else name


MORE = described
DEVICES = (
    *("1080ti_1", "1080ti_256", "1080ti_32", "2080ti_1", "2080ti_32", "essential_ph_1", "eyeriss"),
    *("fpga", "gold_6226", "pixel2", "pixel3", "raspi4", "samsung_s7", "silver_4114"),
    *("silver_4210r", "titan_rtx_1", "titan_rtx_256", "titan_rtx_32", "titanx_1", "titanx_256"),
    *("titanx_32", "titanxp_1", "titanxp_256", "titanxp_32"),
)
TABLES = (
    RealTable("nas201", "nats-tss", nas201, "cifar10_valid_200", "cifar10_test_200",
              "cifar10_train_time_12"),
    RealTable("nas201-latency", "nats-tss", nas201_with("latency_ms.parquet"),
              "cifar10_valid_200", "cifar10_test_200", "pixel3",
              {name: MORE("latency", "minimize", "ms", device=name) for name in DEVICES}),
    RealTable("hw-nas-bench", "nats-tss", hw_nas_bench, "cifar10_valid_200", "cifar10_test_200",
              "cifar10_edgetpu_ms", {"*_edgetpu_ms": {"missing": "rejected by the compiler"}}),
    RealTable("nas201-pi5", "nats-tss", nas201_with("pi5.parquet"), "cifar10_valid_200",
              "cifar10_test_200", "litert_cifar100_mj"),
    RealTable("nas201-adversarial", "nats-tss", nas201_with("adversarial_cifar10.parquet"),
              "cifar10_valid_200", "cifar10_test_200", "cifar10_fgsm_eps1.0",
              {"cifar10_*_eps*": MORE("robustness", "maximize", "%", dataset="cifar10"),
               "cifar10_seed888_clean": MORE("accuracy", "maximize", "%", dataset="cifar10")}),
    RealTable("nas201-proxies", "nats-tss", nas201_with("zero_cost_proxies_cifar10.parquet"),
              "cifar10_valid_200", "cifar10_test_200", "cifar10_params",
              {name: MORE("proxy", "maximize", dataset="cifar10") for name in (
                  "cifar10_synflow", "cifar10_nwot", "cifar10_snip", "cifar10_zen")},
              partial=True),
    RealTable("nasbench-macro", "nasbench-macro",
              file("nasbench_macro/accuracy.parquet"), "cifar10_test_seed0", "cifar10_test",
              "params", {"cifar10_test_seed0": {"split": "valid"}}),
    RealTable("transnas101-micro", "transnas101-micro", transnas("micro"), "class_scene_val",
              "class_scene_val", "jigsaw_val", TRANSNAS_FACTS),
    RealTable("transnas101-macro", "transnas101-macro", transnas("macro"), "class_scene_val",
              "class_scene_val", "room_layout_valid_loss", TRANSNAS_FACTS),
    RealTable("nb101", "nasbench101", nb101, "cifar10_valid_108", "cifar10_valid_108", "params"),
    RealTable("nb101-energy", "nasbench101", nb101_energy, "cifar10_valid_4", "cifar10_test_4",
              "energy_kwh", {"energy_kwh": MORE("energy", "minimize", "kWh")}),
    RealTable("nb101-proxies", "nasbench101", nb101_proxies, "cifar10_valid_108",
              "cifar10_valid_108", "flops",
              {"synflow": MORE("proxy", "maximize"), "flops": {"unit": "M"},
               "params": {"quantity": "parameters", "unit": "M"}}),
    RealTable("darts-sample", "darts", darts_sample, "cifar10_valid_97", "cifar10_valid_97",
              "flops", {"flops": {"unit": "M"}, "params": {"quantity": "parameters", "unit": "M"},
                        "synflow": MORE("proxy", "maximize"),
                        "cifar10_valid_97": {"provenance": "modelled"}}),
    RealTable("mnasnet", "mnasnet", mnasnet, "imagenet_valid", "imagenet_valid", "vck190_ms",
              {"throughput_*": MORE("throughput", "maximize", "images/s"), "macs": {"unit": "M"},
               "params": {"quantity": "parameters", "unit": "M"}}),
    RealTable("fbnet", "fbnet", file("mobile/fbnet_latency.parquet", ops="architecture"),
              "pixel3_ms", "pixel3_ms", "raspi4_ms"),
    RealTable("nasbench-graph", "nasbench-graph", source("nas-bench-graph"), "cora_valid",
              "cora_test", "cora_latency_ms"),
    RealTable("nasbench-graph-proteins", "nasbench-graph-proteins", source("nas-bench-graph"),
              "proteins_valid", "proteins_test", "proteins_latency_ms"),
    RealTable("nats-tss-excerpt", "nats-tss",
              source("nats_official_sample/NATS-tss-v1_0-3ffb9-simple"), "cifar10_valid_200",
              "cifar10_test_200", "cifar10_flops", partial=True),
    RealTable("nats-sss-excerpt", "nats-sss",
              source("nats_official_sample/NATS-sss-v1_0-50262-simple"), "cifar10_valid_90",
              "cifar10_test_90", "cifar10_flops", partial=True),
)  # fmt: skip


def import_table(table: RealTable, folder: Path) -> None:
    """Import one table, replacing an earlier import of it.

    Raises:
        SuiteError: it cannot be read.
        FileNotFoundError: its file is not in the folder.
    """
    content = table.read(folder)
    options: dict[str, Any] = {
        "space": table.space,
        "metrics": table.facts,
        "partial": table.partial,
        "overwrite": True,
    }
    if not isinstance(content, pd.DataFrame):
        import_benchmark(content, table.name, **options)
        return
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / f"{table.name}.parquet"
        content.to_parquet(path, index=False)
        import_benchmark(path, table.name, **options)


def is_imported(table: RealTable) -> bool:
    """Whether there is a benchmark of that name."""
    try:
        load_benchmark(table.name)
    except SuiteError:
        return False
    return True


def summary(table: RealTable) -> dict[str, Any]:
    """Rows, optimum, noise and gaps of an imported table."""
    facts = describe_benchmark(table.name)
    by_name = {metric["name"]: metric for metric in facts["metrics"]}
    judged = by_name[table.report]
    noise = judged.get("noise")
    if noise:
        floor = f"floor {noise['floor']:.2f} ({noise['source']})"
    else:
        floor = f"{len(judged['seeds']) or 'unknown number of'} trainings"
    gaps: dict[str, int] = {}
    for metric in facts["metrics"]:
        for why, count in metric["missing"].items():
            gaps[why] = gaps.get(why, 0) + count
    return {
        "benchmark": table.name,
        "rows": facts["architectures"],
        "metrics": len(by_name),
        "judged by": table.report,
        "optimum": round(judged["optimum"]["value"], 3),
        "noise": floor,
        "missing": ", ".join(f"{count:,} {why}" for why, count in gaps.items()) or "nothing",
    }


def search(table: RealTable, method: str, store: Path, evaluations: int, seeds: range) -> str:
    """Run one method on one table, where it can search there.

    Returns:
        Why it cannot, or nothing.

    Raises:
        SuiteError: a trial failed.
    """
    also = [table.second] if method in MULTI_OBJECTIVE else []
    (task,) = make_tasks(
        table.name,
        evaluations=evaluations,
        signal=table.signal,
        judged_by=table.report,
        objectives=also,
    )
    try:
        done = run_tasks([task], METHODS[method], seeds=seeds, store=store)
    except SuiteError as refusal:  # before anything was run
        return str(refusal)
    if done.failures:
        raise SuiteError(f"{len(done.failures)} trials of {method} on {table.name} failed.")
    return ""


def regrets(store: Path) -> list[dict[str, Any]]:
    """For each table how far each method ended from the optimum: the IQM over seeds.

    Regrets are in the unit of the metric, of the multi-objective method in shares of the true
    front's hypervolume.
    """
    board = leaderboard(store)
    sign = np.where(board["direction"] == "maximize", 1.0, -1.0)
    board["distance"] = sign * (board["optimum"] - board["iqm"])
    rows = []
    for table in TABLES:
        of_table = board[board["benchmark"] == table.name].drop_duplicates("method", keep="last")
        of_table = of_table.set_index("method")
        if len(of_table):
            row = {"benchmark": table.name, "unit": of_table["unit"].iloc[0]}
            found = [of_table["distance"].get(label, np.nan) for label in METHODS.values()]
            row |= dict(zip(METHODS, found, strict=True))
            row |= {"seeds": int(of_table["seeds"].min())}
            rows.append({key: shown(value) for key, value in row.items()})
    return rows


def shown(value: Any) -> Any:
    """A figure to three decimals; a dash for one that is not there."""
    if not isinstance(value, float):
        return value
    return "-" if np.isnan(value) else f"{round(value, 3) + 0.0:.3f}"  # no zero with a minus


def as_markdown(rows: list[dict[str, Any]]) -> str:
    """A table as Markdown, a column for each key of the first row."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def main() -> None:
    """Import, describe, and with ``--search`` search."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--search", action="store_true", help="run six methods on every table")
    parser.add_argument("--evaluations", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--store", type=Path, default=Path("real-tables.sqlite"))
    parser.add_argument("--only", help="names, parted by commas")
    parser.add_argument("--methods", help="columns to search with, parted by commas; all six")
    parser.add_argument("--keep", action="store_true", help="use what was imported before")
    given = parser.parse_args()
    wanted = given.only.split(",") if given.only else [table.name for table in TABLES]
    ready, rows = [], []
    for table in TABLES:
        if table.name not in wanted:
            continue
        try:
            if not (given.keep and is_imported(table)):
                import_table(table, given.folder)
        except (SuiteError, FileNotFoundError) as error:
            print(f"{table.name} is passed over: {error}")
            continue
        ready.append(table)
        rows.append(summary(table))
        print(rows[-1], flush=True)
    print(as_markdown(rows), flush=True)
    if not given.search:
        return
    for method in given.methods.split(",") if given.methods else METHODS:
        for table in ready:
            refusal = search(table, method, given.store, given.evaluations, range(given.seeds))
            print(f"{method} on {table.name}: {refusal or 'searched'}", flush=True)
    print(as_markdown(regrets(given.store)))


if __name__ == "__main__":
    main()
