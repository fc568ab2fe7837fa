"""Which names and labels of methods a submission may have: none that is another's on a board."""

from __future__ import annotations

from collections.abc import Iterator

from nasbench_suite import registry
from nasbench_suite.errors import SuiteError
from nasbench_suite.rows import MethodRow
from nasbench_suite.tasks.methods import make_method, method_key, method_label, own_label


def naming_faults(claim: MethodRow) -> Iterator[tuple[str, str]]:
    """What is wrong with a name or label, and a label that mends it; empty where none does."""
    settings = claim.label.removeprefix(claim.name)
    if "(" in claim.name:
        yield "its name has a parenthesis, where boards say what tells it.", ""
    if claim.label != claim.label.strip():
        yield "its label begins or ends with a space.", claim.label.strip()
    if claim.name in registry.entries("methods"):
        try:
            method = make_method(claim.name, claim.config)
        except SuiteError:
            return  # another version's settings; it is not run again, and that is noted
        label = method_label(claim.name, method)
        # A setting may stand in it that has become the default since.
        known = own_label(claim.label) == label
        if not known and method_key(claim.name, method) == claim.key:
            yield f"its label is {label!r}.", label
        return
    plain = settings == "" or (settings.startswith("[") and settings.endswith("]"))
    if not claim.label.startswith(claim.name) or not plain:
        yield f"a label of {claim.name!r} begins with this name.", claim.name
