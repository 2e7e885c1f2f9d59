"""What the kernel says by itself when something changes: rtnetlink(7), nftables, and inotify(7) for names of namespaces."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import socket
import struct

from netlab.errors import NetlabError
from netlab.world import Entry, World

_NETLINK_ROUTE, _NETLINK_NETFILTER = 0, 12
# RTNLGRP_* of <linux/rtnetlink.h>: links, neighbours, addresses, routes, and forwarding (netconf) of IPv4 and IPv6.
_ROUTE_GROUPS = sum(1 << (group - 1) for group in (1, 3, 5, 7, 9, 11, 24, 25))
_RULES_GROUP = 1 << (7 - 1)  # NFNLGRP_NFTABLES
_RECEIVE = 1 << 16
_HEADER, _NEIGHBOUR = struct.Struct("=IH10x"), struct.Struct("=BxxxxxxxH2x")  # struct nlmsghdr, struct ndmsg
_NEWNEIGH, _DELNEIGH, _AF_BRIDGE, _NOARP = 28, 29, 7, 0x40
_IN_CREATE, _IN_DELETE, _IN_MOVED_TO = 0x100, 0x200, 0x80
_IN_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC


def changes_of(world: World, entry: Entry) -> list[socket.socket]:
    """Return sockets that become readable when links, addresses, routes, neighbours or (on a host) rules of a place change."""
    found = [_joined(world, entry, _NETLINK_ROUTE, _ROUTE_GROUPS)]
    if entry.kind == "host":
        found.append(_joined(world, entry, _NETLINK_NETFILTER, _RULES_GROUP))
    return found


def _joined(world: World, entry: Entry, protocol: int, groups: int) -> socket.socket:
    events = world.open_socket(entry.name, socket.AF_NETLINK, socket.SOCK_RAW, protocol)
    events.setblocking(False)
    events.bind((0, groups))
    return events


def drain(events: socket.socket) -> bool:
    """Read all that is there; return whether the place should be asked again."""
    matters = False
    while True:
        try:
            matters = _matters(events.recv(_RECEIVE)) or matters
        except BlockingIOError:
            return matters
        except OSError as error:
            if error.errno != errno.ENOBUFS:  # more came than the kernel could keep: just go on
                return matters
            matters = True


def _matters(data: bytes) -> bool:
    """Whether a datagram says more than that the kernel made or forgot the hardware address of a multicast group."""
    offset = 0
    while offset + 16 <= len(data):
        length, kind = _HEADER.unpack_from(data, offset)
        if kind not in (_NEWNEIGH, _DELNEIGH):
            return True
        family, state = _NEIGHBOUR.unpack_from(data, offset + 16)
        if family == _AF_BRIDGE or not state & _NOARP:
            return True
        offset += max(16, (length + 3) & ~3)
    return False


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
