"""Entering a place from another process of the same user, to run a command there: what `netlab exec` and `shell` do.

The process that calls `run` becomes part of the sandbox, so that a terminal, pipes and signals reach the command as if the
lab were not there; nothing passes the agent. It must have one thread only (setns(2)), and is of no other use afterwards.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections.abc import Iterator
from types import FrameType

from netlab.errors import NotFound, SandboxError
from netlab.language import say
from netlab.sandbox import nodes
from netlab.sandbox.command import environment
from netlab.sandbox.syscalls import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    end_with_parent,
    ignore_identity_changes,
    setns,
)

_ALL = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC
_TYPED = (signal.SIGINT, signal.SIGQUIT)  # a terminal sends them to the command itself
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_TOGETHER_SECONDS = 0.5
_NOT_FOUND, _NOT_EXECUTABLE, _SIGNALLED = 127, 126, 128  # exit statuses, as a shell gives them


def run(pid: int, namespace: str | None, argv: list[str], variables: dict[str, str] | None = None) -> int:
    """Run a command where a process is, or in the network namespace `namespace` there, and return its status as a shell does.

    A signal that ended it counts as 128 and its number. Raises NotFound when the process has gone.

    Equivalent to: `nsenter --target PID --user --preserve-credentials --mount --net --uts --ipc --pid CMD` (nsenter(1)).
    """
    folder = _working_directory()
    given = {**environment(), "TERM": os.environ.get("TERM", "xterm"), **(variables or {})}
    place = become_part_of(pid, namespace)
    with _terminal_given_back():
        before = {number: signal.signal(number, signal.SIG_IGN) for number in _TYPED}
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)  # until there is somebody to pass them on to
        child = os.fork()
        if child == 0:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            _become(argv, folder, given)
        _pass_signals_on(child)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])  # negative for a signal
    # Where the whole place ends, its processes and the command are killed together, in any order.
    if status == -signal.SIGKILL and select.select([place], [], [], _TOGETHER_SECONDS)[0]:
        sys.stderr.write("netlab: the place has gone, and the command with it\n")
    return status if status >= 0 else _SIGNALLED - status


def _working_directory() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - it may have been deleted, and then there is nothing to say
    except OSError:
        return "/"


def become_part_of(pid: int, namespace: str | None) -> int:
    """Enter all namespaces of a process at once, and a named one from there; return a pidfd of the process."""
    gone = say(
        en="That place has gone. See what there is: netlab show",
        ja="その場所は、もうありません。今あるものを見るには: netlab show",
    )
    try:
        place = os.pidfd_open(pid)
        setns(place, _ALL)
    except ProcessLookupError:
        raise NotFound(gone) from None
    except OSError as error:
        raise SandboxError(
            say(
                en=f"The lab cannot be entered from here ({error.strerror}). Use a terminal of the user who started the "
                "lab, on the same machine or in the same container; `netlab doctor` shows what this machine allows.",
                ja=f"ここからラボに入ることはできません ({error.strerror})。同じマシン、または同じコンテナの中で、ラボを始めた"
                "ユーザーの端末を使ってください。このマシンで何ができるかは `netlab doctor` で分かります。",
            )
        ) from None
    if namespace is not None:
        try:
            descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY | os.O_CLOEXEC)
            nodes.enter_named(descriptor)
        except OSError:
            raise NotFound(gone) from None
    return place


@contextlib.contextmanager
def _terminal_given_back() -> Iterator[None]:
    """Take the terminal back from a shell that made itself its owner: it cannot name a group outside its pid namespace."""
    try:
        ours = os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        ours = False
    yield
    if ours:
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # which would stop us for doing it
        with contextlib.suppress(OSError):
            os.tcsetpgrp(0, os.getpgrp())


def _become(argv: list[str], folder: str, given: dict[str, str]) -> None:
    status = _NOT_FOUND
    try:
        end_with_parent(signal.SIGKILL)
        ignore_identity_changes()
        nodes.become(argv, folder, given)
    except (OSError, ValueError) as error:
        if isinstance(error, PermissionError):
            status = _NOT_EXECUTABLE
        reason = error.strerror if isinstance(error, OSError) else error
        os.write(2, f"netlab: {argv[0]}: {reason}\n".encode())
    finally:
        os._exit(status)


def _pass_signals_on(child: int) -> None:
    def pass_on(number: int, _: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    for number in _PASSED_ON:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, pass_on)
