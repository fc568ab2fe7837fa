"""A table of one's own: written as CSV, imported with its units, and searched.

python examples/import_a_table.py
"""

import os

import numpy as np

from nasbench_suite import leaderboard, load_benchmark, load_space, run
from nasbench_suite.benchmarks.library import import_benchmark

os.environ.setdefault("NASBENCH_HOME", "benchmarks")  # where imported tables are kept

# Any table with a row for every architecture; here a made-up accuracy and latency.
space = load_space("nats-tss")
rng = np.random.default_rng(0)
quality = rng.normal(size=(6, 5))[np.arange(6), space.all_vectors].sum(axis=1)
accuracy = 80 + 15 * np.tanh(quality / 4)
with open("mine.csv", "w") as file:
    file.write("arch,mine_valid_12,mine_test_12,phone_ms\n")
    for index in range(space.size):
        noisy = accuracy[index] + rng.normal(scale=0.3)
        milliseconds = 1.0 + space.all_vectors[index].sum() / 8
        file.write(f"{space.string(index)},{noisy:.3f},{accuracy[index]:.3f},{milliseconds:.3f}\n")

imported = import_benchmark("mine.csv", "mine", "nats-tss", overwrite=True)
for metric in imported.benchmark.metrics.values():
    print(f"{metric.name}: {metric.quantity} in {metric.unit}, {metric.direction}")

run(load_benchmark("mine"), "random,tpe", seeds=range(3), evaluations=60, store="mine.sqlite")
print(leaderboard("mine.sqlite")[["method", "iqm", "regret"]].to_string(index=False))
