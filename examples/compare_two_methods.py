"""Is one method better than another, or is it noise? Two methods, 20 seeds, a test.

python examples/compare_two_methods.py
"""

from nasbench_suite import compare, leaderboard, run

run("digits", "random,local-search", seeds=range(20), evaluations=100, store="compared.sqlite")

board = leaderboard("compared.sqlite")
print(
    board[["method", "iqm", "low", "high", "regret", "worse", "equivalent"]].to_string(index=False)
)

(comparison,) = compare("compared.sqlite")
for pair in comparison.pairs.itertuples():
    print(
        f"{pair.first} less {pair.second}: {pair.difference:.2f} {comparison.unit} "
        f"[{pair.low:.2f}, {pair.high:.2f}], p = {pair.p_adjusted:.3g}"
    )
print(f"so many seeds show a difference of {comparison.detectable:.2f} {comparison.unit}")
