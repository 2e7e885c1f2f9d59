"""What the engine can do where a published port leads nowhere: the kernel does not tell what the port was meant for."""

from __future__ import annotations

import ipaddress

from netlab.journey.target import Target
from netlab.why.kernel import Kernel
from netlab.why.records import Promised, Records
from netlab.why.trouble import Failed, Repair

_LEADS_NOWHERE = ("port-closed", "rule-dropped")


def by_engine(
    kernel: Kernel, records: Records, failed: Failed, *, source: str, target: Target, address: str
) -> tuple[Repair, ...]:
    """Return the docker commands that let a published port lead to its container; what else repairs it, if it is none."""
    if failed.finding.code in _LEADS_NOWHERE:
        loopback = ipaddress.ip_address(address).is_loopback
        for place in [source] if loopback else [name for name, _ in kernel.owners(address)]:
            promised = records.promised(place, target.port, target.protocol)
            if promised is not None and (not failed.repair or failed.finding.place == promised.container):
                return tuple(Repair(place, line) for line in _lines(kernel, promised, target.protocol))
    return failed.repair


def _lines(kernel: Kernel, promised: Promised, protocol: str) -> tuple[str, ...]:
    name = promised.container
    if not promised.running:
        return (f"docker start {name}",)
    serving = {
        one.port
        for one in kernel.place(name).sockets
        if one.protocol == protocol and not ipaddress.ip_address(one.address).is_loopback
    }
    if serving and promised.port not in serving:  # it was published for a port where nobody is, so not by a fault
        return (f"docker rm -f {name}", *promised.anew(min(serving)))
    return (f"docker restart {name}",)
