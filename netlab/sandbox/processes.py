"""Looking at the sandbox's processes, and ending them. Runs inside: standard library only."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Collection, Mapping
from typing import Any


def list_all(*, with_sockets: bool) -> list[dict[str, Any]]:
    """Return every process: pid, network namespace's inode, name, command line and, on request, its sockets' inodes."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdecimal() or entry == "1":
            continue
        with contextlib.suppress(OSError):  # it may end while it is looked at
            found.append(_describe(int(entry), with_sockets))
    return found


def _describe(pid: int, with_sockets: bool) -> dict[str, Any]:
    with open(f"/proc/{pid}/comm") as file:
        name = file.read().strip()
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        command = file.read().rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
    process = {"pid": pid, "namespace": _namespace(pid, "net"), "name": name, "command": command.strip() or f"[{name}]"}
    if with_sockets:
        process["sockets"] = _sockets(pid)
    return process


def _namespace(pid: int, kind: str) -> int:
    return os.stat(f"/proc/{pid}/ns/{kind}").st_ino


def _sockets(pid: int) -> list[int]:
    inodes = []
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
            if target.startswith("socket:["):
                inodes.append(int(target[8:-1]))
    return inodes


def namespaces_of(pid: int, kinds: Collection[str]) -> dict[str, int]:
    """Return the inodes of a process's namespaces of some kinds (net, mnt); raises OSError when it is gone."""
    return {kind: _namespace(pid, kind) for kind in ("net", "mnt") if kind in kinds}


def end_all_in(namespaces: Mapping[str, int], but_in: Collection[int] = ()) -> None:
    """Kill every process that is in one of the given namespaces, but for those in one of some mount namespaces."""
    me = os.getpid()
    for entry in os.listdir("/proc"):
        if not entry.isdecimal() or int(entry) == me:
            continue
        with contextlib.suppress(OSError):  # it may end while it is looked at
            if but_in and _namespace(int(entry), "mnt") in but_in:
                continue
            if any(_namespace(int(entry), kind) == inode for kind, inode in namespaces.items()):
                os.kill(int(entry), signal.SIGKILL)
