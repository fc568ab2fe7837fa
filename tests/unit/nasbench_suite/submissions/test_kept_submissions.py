"""The submissions in ``board/`` stay such as are accepted, whatever defaults methods get."""

from __future__ import annotations

from pathlib import Path

import pytest

from nasbench_suite.rows import MethodRow
from nasbench_suite.submissions.files import DENSE, SUFFIX, read_submission
from nasbench_suite.submissions.naming import naming_faults
from nasbench_suite.tasks.methods import make_method, method_key, method_label

BOARD = Path(__file__).resolve().parents[4] / "board"
KEPT = sorted(path for path in BOARD.iterdir() if path.name.endswith((SUFFIX, DENSE)))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.name)
def test_no_method_has_another_label_by_now(path: Path) -> None:
    pytest.importorskip("torch", reason="methods with a supernet need the extra 'torch'")
    methods = read_submission(path).methods
    assert methods
    assert [fault for method in methods for fault in naming_faults(method)] == []


def test_a_label_may_say_what_has_become_a_default() -> None:
    name, made = "regularized-evolution", make_method("regularized-evolution")
    label = f"{name}[sample_size={made.config['sample_size']}]"
    row = MethodRow(key=method_key(name, made), label=label, name=name, config=made.config)
    assert method_label(name, made) == name != label
    assert list(naming_faults(row)) == []
    (fault,) = naming_faults(row.model_copy(update={"label": f"{name}[sample_size=2]"}))
    assert fault[1] == name
