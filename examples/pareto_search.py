"""Accuracy against latency: two searches for fronts, their hypervolume, the front of one seed.

python examples/pareto_search.py
"""

from nasbench_suite import leaderboard, load_benchmark, run
from nasbench_suite.store import ResultStore

digits = load_benchmark("digits")
run(
    digits,
    "random,nsga2",
    objectives=["onnxruntime_ms"],
    seeds=range(5),
    evaluations=100,
    store="fronts.sqlite",
)
print(leaderboard("fronts.sqlite")[["method", "iqm", "low", "high"]].to_string(index=False))

with ResultStore("fronts.sqlite", read_only=True) as results:
    trials, fronts = results.trials(), results.fronts()
chosen = trials[(trials["method"] == "nsga2") & (trials["seed"] == 0)]["trial"].item()
print("what nsga2 returns with seed 0:")
for architecture in fronts[fronts["trial"] == chosen]["architecture"].unique().tolist():
    accuracy = digits.query(architecture, "digits_test_8")
    latency = digits.query(architecture, "onnxruntime_ms")
    print(f"  {accuracy:.2f} %  {latency:.4f} ms  {digits.space.string(architecture)}")
