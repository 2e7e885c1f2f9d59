"""What the kernel says by itself when something changes: rtnetlink(7), nftables, and inotify(7) for names of namespaces."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import socket
import struct
from collections.abc import Iterator

from netlab.errors import NetlabError
from netlab.kernel.netlink import (
    DELADDR,
    DELLINK,
    DELNEIGH,
    DELROUTE,
    NEWADDR,
    NEWLINK,
    NEWNEIGH,
    NEWROUTE,
    attributes,
)
from netlab.observer import EVERYTHING, Topic
from netlab.world import Entry, World

_NETLINK_ROUTE, _NETLINK_NETFILTER = 0, 12
# RTNLGRP_* of <linux/rtnetlink.h>: links, neighbours, addresses, routes, and forwarding (netconf) of IPv4 and IPv6.
_ROUTE_GROUPS = sum(1 << (group - 1) for group in (1, 3, 5, 7, 9, 11, 24, 25))
_RULES_GROUP = 1 << (7 - 1)  # NFNLGRP_NFTABLES
_RECEIVE = 1 << 16
# struct nlmsghdr, struct ifinfomsg and struct ndmsg, as far as they matter here.
_HEADER, _LINK, _NEIGHBOUR = struct.Struct("=IH10x"), struct.Struct("=B3xi"), struct.Struct("=BxxxxxxxH2x")
_AF_BRIDGE, _NOARP, _NDA_DST = 7, 0x40, 1
_ROUTE_TABLE, _LOCAL_TABLE = (
    4,
    255,
)  # where struct rtmsg has the table's number; the kernel's own table, which nobody sees
_NEWNETCONF, _DELNETCONF = 80, 81
_TOPICS: dict[int, Topic] = {
    NEWADDR: "addresses",
    DELADDR: "addresses",
    NEWROUTE: "routes",
    DELROUTE: "routes",
    _NEWNETCONF: "ip_forward",
    _DELNETCONF: "ip_forward",
}
_IN_CREATE, _IN_DELETE, _IN_MOVED_TO = 0x100, 0x200, 0x80
_IN_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC


def changes_of(world: World, entry: Entry) -> list[socket.socket]:
    """Return sockets that become readable when links, addresses, routes, neighbours or rules of a place change."""
    wanted = (_NETLINK_ROUTE, _ROUTE_GROUPS), (_NETLINK_NETFILTER, _RULES_GROUP)
    return [_joined(world, entry, protocol, groups) for protocol, groups in wanted]


def _joined(world: World, entry: Entry, protocol: int, groups: int) -> socket.socket:
    events = world.open_socket(entry.name, socket.AF_NETLINK, socket.SOCK_RAW, protocol)
    events.setblocking(False)
    events.bind((0, groups))
    return events


def drain(events: socket.socket) -> set[Topic]:
    """Read all that is there; return what the place should be asked for again."""
    topics: set[Topic] = set()
    while True:
        try:
            data = events.recv(_RECEIVE)
        except BlockingIOError:
            return topics
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                return topics
            topics |= EVERYTHING  # more came than the kernel could keep
        else:
            topics |= {"chains"} if events.proto == _NETLINK_NETFILTER else set(_topics(data))


def _topics(data: bytes) -> Iterator[Topic]:
    """Yield what the messages of a datagram are about, but for what nobody wants to know."""
    offset = 0
    while offset + 16 <= len(data):
        length, kind = _HEADER.unpack_from(data, offset)
        body = data[offset + 16 : offset + length]
        if kind in (NEWLINK, DELLINK):
            family, index = _LINK.unpack_from(body)
            # A bridge tells of its ports in messages of its own: one that was pulled out is still an interface.
            yield "links" if kind == DELLINK and family != _AF_BRIDGE else index
        elif kind in (NEWNEIGH, DELNEIGH):
            yield from _neighbour(body)
        elif kind not in (NEWROUTE, DELROUTE) or body[_ROUTE_TABLE] != _LOCAL_TABLE:
            yield _TOPICS.get(kind, "links")
        offset += max(16, (length + 3) & ~3)


def _neighbour(body: bytes) -> Iterator[Topic]:
    family, state = _NEIGHBOUR.unpack_from(body)
    if family == _AF_BRIDGE:
        # Only an entry with an address of another host can be seen in the picture: a tunnel leads there.
        yield "forwarding" if any(kind == _NDA_DST for kind, _ in attributes(body, 12)) else "learned"
    elif not state & _NOARP:  # the hardware address of a multicast group is nothing that anybody learned
        yield "neighbours"


class Names:
    """Hears when `ip netns` adds or deletes a name on a host."""

    def __init__(self, host: Entry) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor: int = libc.inotify_init1(_IN_FLAGS)
        path = f"/proc/{host.machine_pid}/root/run/netns".encode()
        if (
            self._descriptor < 0
            or libc.inotify_add_watch(self._descriptor, path, _IN_CREATE | _IN_DELETE | _IN_MOVED_TO) < 0
        ):
            number = ctypes.get_errno()
            self.close()
            raise NetlabError(f"inotify {path.decode()}: {os.strerror(number)}")

    def fileno(self) -> int:
        return self._descriptor

    def drain(self) -> bool:
        """Read all that is there; return whether that was anything."""
        something = False
        with contextlib.suppress(BlockingIOError):
            while os.read(self._descriptor, _RECEIVE):
                something = True
        return something

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
