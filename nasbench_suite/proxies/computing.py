"""Scores of many architectures: resumable, on several processes, with the same result.

Everything that a score depends on belongs to the seed and to the architecture, so neither the
number of processes nor the order nor an interruption changes it. Architectures are scored in an
order drawn at random: what is there at any moment is a sample of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nasbench_suite.errors import SuiteError, reason
from nasbench_suite.files.journal import Journal
from nasbench_suite.proxies.checking import check, load_proxies, need_torch
from nasbench_suite.proxies.computation import Computation
from nasbench_suite.proxies.proxy import Proxy, draws, score_of
from nasbench_suite.proxies.subject import Subject
from nasbench_suite.spreading import count_jobs, spread

_NO_MEMORY = ("can't allocate memory", "out of memory", "not enough memory")  # as torch says it


def compute(
    computation: Computation,
    architectures: Sequence[str],
    journal: Path,
    jobs: int = 1,
) -> Iterator[tuple[int, int]]:
    """Score what is not in the journal yet, appending to it.

    Args:
        computation: what to compute.
        architectures: their strings.
        journal: a file of ours, of the same computation; made with the first score if absent.
        jobs: processes, each with one thread; -1 for all cores.

    Yields:
        (architectures scored, architectures in all), once at the start and after each.

    Raises:
        SuiteError: the journal is of another computation or another process is writing it, the
            number of jobs is impossible, or see ``check``.
    """
    jobs = count_jobs(jobs)
    kept = Journal(journal)
    done = _finished(kept, computation)
    todo = [one for one in architectures if one not in done]
    if todo or not architectures:
        check(computation, todo)
    with kept.appending() as note:
        done = _finished(kept, computation)  # again, now that nobody else writes it
        todo = [one for one in architectures if one not in done]
        finished = len(architectures) - len(todo)
        begun = kept.begun
        yield finished, len(architectures)
        for entry in spread(score_all, ((computation, one) for one in todo), jobs):
            if not begun:  # with the first score: what fails before leaves nothing behind
                note(computation.identity)
                begun = True
            note(entry)
            finished += 1
            yield finished, len(architectures)


def _finished(kept: Journal, computation: Computation) -> set[str]:
    """The architectures in a journal.

    Raises:
        SuiteError: it is of another computation.
    """
    header, *entries = kept.entries() or [{}]
    differing = computation.differing(header) if header else []
    if differing:
        raise SuiteError(
            f"Journal {kept.path} is of another computation ({', '.join(differing)} differs): give "
            f"another file."
        )
    return {entry["architecture"] for entry in entries}


def score_all(computation: Computation, architecture: str) -> dict[str, Any]:
    """All scores of one architecture, and the seconds of each as if it were the only one.

    Raises:
        SuiteError: a proxy is not defined there, or memory does not suffice.
    """
    proxies = load_proxies(computation.proxies)
    if need_torch(proxies):
        import torch

        torch.set_num_threads(1)  # another number could add in another order
    shared = computation.subject(architecture)
    scores, seconds = {}, {}
    for name, proxy in proxies.items():
        subject = shared.drawing(draws(computation.seed, name, architecture))
        scores[name], seconds[name] = _timed_score(name, proxy, subject)
    return {"architecture": architecture, "scores": scores, "seconds": seconds}


def _timed_score(name: str, proxy: Proxy, subject: Subject) -> tuple[float, float]:
    try:
        return subject.timed(lambda: score_of(proxy, subject))
    except (RuntimeError, MemoryError) as error:
        told = str(error).lower()
        if isinstance(error, RuntimeError) and not any(one in told for one in _NO_MEMORY):
            raise
        architecture = subject.space.string(subject.architecture)
        raise SuiteError(
            f"Memory does not suffice for proxy {name!r} of {architecture} ({reason(error)}): give "
            f"fewer --jobs, --channels or images."
        ) from error
