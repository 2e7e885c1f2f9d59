"""Asking the kernel which way one packet would go: the lookup that it does itself (`ip route get`)."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from netlab.kernel.netlink import GETROUTE, RouteSocket, attribute, attributes, number

_ROUTE = struct.Struct("=BBBBBBBBI")
_DESTINATION, _SOURCE, _INCOMING, _OUTGOING, _GATEWAY, _PREFERRED, _MARK = 1, 2, 3, 4, 5, 7, 16
_FIB_MATCH = 0x2000  # RTM_F_FIB_MATCH: the table's entry instead of what comes of it
_KINDS = {1: "unicast", 2: "local", 3: "broadcast", 5: "multicast", 6: "blackhole", 7: "unreachable", 8: "prohibit"}


@dataclass(frozen=True, slots=True)
class Way:
    """What the kernel answers; `kind` is "none" where no route matches. Interfaces are numbers."""

    kind: str
    gateway: str | None = None
    interface: int | None = None
    source: str | None = None
    prefix: str = ""  # of the entry of the routing table that matched: 172.17.0.0/16, default

    @property
    def leads_on(self) -> bool:
        """Whether a packet can go that way."""
        return self.kind in ("unicast", "local", "broadcast", "multicast")


def way(
    route_socket: RouteSocket,
    destination: str,
    *,
    source: str | None = None,
    incoming: int | None = None,
    mark: int = 0,
) -> Way:
    """Return the way to an address, for a packet made here or one that came in at an interface.

    Equivalent to: `ip route get DESTINATION [from SOURCE] [iif NAME] [mark MARK]` (ip-route(8)).
    """
    answer = _ask(route_socket, destination, source, incoming, mark, 0)
    entry = _ask(route_socket, destination, source, incoming, mark, _FIB_MATCH)
    if answer is None:
        return entry if entry is not None and not entry.leads_on else Way("none")
    prefix = entry.prefix if entry is not None else ""
    return Way(answer.kind, answer.gateway, answer.interface, answer.source, prefix)


def _ask(  # noqa: PLR0917 - the parts of one question
    route_socket: RouteSocket, destination: str, source: str | None, incoming: int | None, mark: int, flags: int
) -> Way | None:
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET
    whole = 128 if family == socket.AF_INET6 else 32
    body = _ROUTE.pack(family, whole, whole if source else 0, 0, 0, 0, 0, 0, flags)
    body += attribute(_DESTINATION, socket.inet_pton(family, destination))
    if source:
        body += attribute(_SOURCE, socket.inet_pton(family, source))
    if incoming:
        body += number(_INCOMING, incoming)
    if mark:
        body += number(_MARK, mark)
    data = route_socket.get(GETROUTE, body)
    if data is None:
        return None
    _, length, _, _, _, _, _, kind, _ = _ROUTE.unpack_from(data, 16)
    found = dict(attributes(data, 16 + _ROUTE.size))

    def address(which: int) -> str | None:
        return socket.inet_ntop(family, found[which]) if which in found else None

    outgoing = struct.unpack("=I", found[_OUTGOING])[0] if _OUTGOING in found else None
    prefix = f"{address(_DESTINATION)}/{length}" if _DESTINATION in found else "default"
    return Way(_KINDS.get(kind, str(kind)), address(_GATEWAY), outgoing, address(_PREFERRED), prefix)
