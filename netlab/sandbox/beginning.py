"""How a node's first process begins: spawned, when all that it does is wait, and forked from the agent otherwise.

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

import os
import signal
from functools import cache

from netlab.sandbox.ground import RUN
from netlab.sandbox.roles import Role
from netlab.sandbox.syscalls import set_title

AGENT_TITLE = "netlab: agent"
_SLEEP = "/bin/sleep"
_APPENDING = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def begin(title: str, log: str, role: Role) -> int:
    """Start a process that plays a role, in the namespaces where the agent is now, and return its pid."""
    return _spawn(title, log) if role.idle and _can_sleep() else _fork(title, log, role)


@cache
def _can_sleep() -> bool:
    """Whether sleep(1) is a program of its own: one of many names goes by the name it is called, not by ours."""
    return os.path.basename(os.path.realpath(_SLEEP)) == "sleep" and os.access(_SLEEP, os.X_OK)


@cache
def _sleep_called(name: str) -> str:
    """Return a path of sleep(1) that ends in a name: the kernel calls a process after the path that it was started by.

    So `pkill sleep` hits only what somebody started by that name.
    """
    os.makedirs(f"{RUN}/idle", exist_ok=True)
    path = f"{RUN}/idle/{name.replace('/', '-')}"
    os.symlink(_SLEEP, path)
    return path


def _spawn(title: str, log: str) -> int:
    """Start sleep(1) as the node's first process, under our title.

    A program that is spawned borrows the agent's memory until it is loaded (vfork(2)): nothing is ever copied, which
    leaves a third of the work of a fork.
    """
    return os.posix_spawn(
        _sleep_called(title.partition(":")[0]),
        [title, "infinity"],
        {},
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, log, _APPENDING, 0o644), (os.POSIX_SPAWN_DUP2, 1, 2)],
        setsid=True,
        setsigdef=[signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ],
    )


def _fork(title: str, log: str, role: Role) -> int:
    """Fork the node's first process, which plays its role until it is stopped; it is born with its title."""
    set_title(title)
    try:
        pid = os.fork()
        if pid:
            return pid
        try:
            leave_agent()
            _write_to(log)
            _close_all_but(role.descriptors)
            role.play()
        finally:
            os._exit(1)
    finally:
        set_title(AGENT_TITLE)


def leave_agent() -> None:
    """Make a fork of the agent a process like any other."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _write_to(log: str) -> None:
    output = os.open(log, _APPENDING, 0o644)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _close_all_but(kept: set[int]) -> None:
    """Close every descriptor that came along from the agent, above all its control socket."""
    lowest = 3
    for descriptor in sorted(kept):
        os.closerange(lowest, descriptor)
        lowest = descriptor + 1
    os.closerange(lowest, 1 << 20)
