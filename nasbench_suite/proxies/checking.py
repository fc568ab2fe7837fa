"""Whether scores can be computed, before any is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nasbench_suite import registry
from nasbench_suite.errors import SuiteError, need_package
from nasbench_suite.networks import count_network
from nasbench_suite.proxies.computation import Computation
from nasbench_suite.proxies.proxy import Proxy
from nasbench_suite.proxies.subject import Subject

_BYTES = 4  # of a weight
_LOOKED_AT = 100  # architectures: of some spaces one halves its images more often than another


def load_proxies(names: Sequence[str]) -> dict[str, Proxy]:
    """Proxies by name.

    Raises:
        SuiteError: there is none of a name, or a package that one imports is not installed.
    """
    proxies = {name: registry.load_object("proxies", name, Proxy) for name in names}
    for name, proxy in proxies.items():
        for package in proxy.packages:
            need_package(f"Proxy {name!r}", package, package)
    return proxies


def need_torch(proxies: Mapping[str, Proxy]) -> bool:
    """Whether one of the proxies needs torch, so that there is a network on a device."""
    return any("torch" in proxy.packages for proxy in proxies.values())


def undefined(computation: Computation, architecture: str) -> dict[str, str]:
    """Proxies of a computation that are not defined for its networks, and why.

    Args:
        computation: what is to be computed.
        architecture: one of its architectures.

    Raises:
        SuiteError: see ``check``, but for proxies that are not defined.
    """
    proxies = load_proxies(computation.proxies)
    subject = computation.subject(architecture)
    _check_network(subject, on_device=need_torch(proxies))
    found = {}
    for name, proxy in proxies.items():
        try:
            proxy.need(subject)
        except SuiteError as error:
            found[name] = str(error)
    return found


def check(computation: Computation, architectures: Sequence[str]) -> None:
    """See that the proxies of a computation can be computed of architectures.

    Raises:
        SuiteError: a proxy is unknown, lacks a package or is not defined there; an architecture has
            no network of that size for those images; the device is not there; or the network is
            too large for its memory.
    """
    if not architectures:
        raise SuiteError("There is no architecture to score: give at least one.")
    for name, why in undefined(computation, architectures[0]).items():
        raise SuiteError(f"Proxy {name!r} cannot be computed here: {why}")
    for architecture in architectures[1:_LOOKED_AT]:
        computation.subject(architecture).describe()


def _check_network(subject: Subject, *, on_device: bool) -> None:
    parameters, _ = count_network(subject.describe())
    if not on_device:
        return
    from nasbench_suite.networks.devices import check_device, memory_of

    check_device(subject.device, "computed")
    memory = memory_of(subject.device)
    if memory is not None and _BYTES * parameters > memory:
        raise SuiteError(
            f"A network of {parameters:,} weights does not fit into the {memory / 2**30:.0f} GiB "
            f"of this machine: give fewer --channels or --cells."
        )
