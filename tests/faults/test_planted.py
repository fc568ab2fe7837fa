"""The list of planted faults fits the source, the documentation and the tests as they are.

Whether tests notice the faults is what ``python tests/faults/planted.py`` sees, in minutes.
"""

from __future__ import annotations

import planted_in_campaigns as campaigns
import pytest
from planted import FAULTS, Fault, check_promise, nodes, place


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_can_be_planted(fault: Fault) -> None:
    """If not, the source, page or test has changed: write the fault anew in planted.py."""
    place(fault)
    check_promise(fault)
    assert nodes(fault)
    assert fault.old != fault.new


@pytest.mark.parametrize("fault", campaigns.FAULTS, ids=lambda fault: fault.name)
def test_a_fault_of_a_campaign_can_be_planted(fault: campaigns.Fault) -> None:
    """If not, the source has changed: write the fault anew in planted_in_campaigns.py."""
    place(fault)
    assert fault.old != fault.new


def test_names_are_unique() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
