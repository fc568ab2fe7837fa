"""A gate for CI: is a method still as good as when its baseline was saved? Here it is not.

python examples/regression_gate.py
"""

from nasbench_suite import check, run
from nasbench_suite.gate import make_baseline, save_baseline
from search_methods.regularized_evolution import RegularizedEvolution

seeds = range(12)
good = RegularizedEvolution(population_size=20, sample_size=5)
run("digits", [("mine", good)], seeds=seeds, store="before.sqlite")
save_baseline(make_baseline("before.sqlite"), "mine.json")


class Slip(RegularizedEvolution):
    """The same method after a slip: it evaluates one architecture again and again."""

    def step(self, session):
        """Evaluate the first architecture of the space."""
        session.evaluate(0)


slip = Slip(population_size=20, sample_size=5)
run("digits", [("mine", slip)], seeds=seeds, store="after.sqlite")
found = check("after.sqlite", "mine.json")
print(found.markdown())
print("passed" if found.passed else "not passed: a CI job would end here, with exit code 1")
