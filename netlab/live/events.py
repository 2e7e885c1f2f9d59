"""What the kernel says by itself when something changes: rtnetlink(7), nftables, and inotify(7) for names of namespaces."""

from __future__ import annotations

import ctypes
import errno
import os
import socket

from netlab.errors import NetlabError
from netlab.world import Entry, World

_NETLINK_ROUTE, _NETLINK_NETFILTER = 0, 12
# RTNLGRP_* of <linux/rtnetlink.h>: links, neighbours, addresses, routes, and forwarding (netconf) of IPv4 and IPv6.
_ROUTE_GROUPS = sum(1 << (group - 1) for group in (1, 3, 5, 7, 9, 11, 24, 25))
_RULES_GROUP = 1 << (7 - 1)  # NFNLGRP_NFTABLES
_RECEIVE = 1 << 16
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


def drain(events: socket.socket) -> None:
    """Read all that is there; what it says does not matter, as the place is asked again anyway."""
    while True:
        try:
            events.recv(_RECEIVE)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.ENOBUFS:  # more came than the kernel could keep: just go on
                return


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

    def drain(self) -> None:
        """Read all that is there."""
        try:
            while os.read(self._descriptor, _RECEIVE):
                pass
        except OSError:
            return

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
