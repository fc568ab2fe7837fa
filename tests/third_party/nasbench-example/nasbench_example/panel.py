"""A part of the HTML report."""

from reports.html.panels import Section


def failures(results):
    """How many trials failed."""
    failed = len(results.trials) - len(results.finished)
    return Section("example-failures", "Trials that stumbled", f"{failed} of {len(results.trials)}")
