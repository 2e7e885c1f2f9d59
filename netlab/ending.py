"""Ending a lab from another process, and seeing that nothing of it is left."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from netlab import keeper, registry
from netlab.errors import NetlabError, NotFound, SandboxError
from netlab.language import say

_ANSWER_SECONDS = 10.0
_END_SECONDS = 10.0


def end(name: str) -> None:
    """End a lab, and return when none of its processes is left.

    The process of a `netlab up` ends too, by force if it does not answer; a notebook stays. Raises NotFound when there is no
    such lab, SandboxError when it does not end.
    """
    owner = registry.owner(name)
    kept = _is_keeper(owner)
    try:
        places = _places(name)
        with _held([*places, *([owner] if kept else [])]) as held:
            _close(name)
            _await(name, held)
    except SandboxError:
        if not kept:
            raise
        _kill(name, owner)


def _is_keeper(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(keeper.TITLE.encode())
    except OSError:
        return False


def _places(name: str) -> set[int]:
    """Return the first process of every place; none for a lab whose sandbox has died already."""
    try:
        return {place["pid"] for place in registry.ask(name, "about", timeout=_ANSWER_SECONDS)["places"]}
    except SandboxError:
        raise
    except NetlabError:
        return set()


def _close(name: str) -> None:
    with contextlib.suppress(NotFound):  # it ended by itself in this moment
        registry.ask(name, "close", timeout=_ANSWER_SECONDS)


def _kill(name: str, owner: int) -> None:
    """Kill a keeper that does not answer. Its sandbox ends with it."""
    with _held([owner]) as held:
        for descriptor in held:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        _await(name, held)


@contextlib.contextmanager
def _held(pids: Iterable[int]) -> Iterator[list[int]]:
    """Hold pidfds of those processes that are there."""
    held = []
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            held.append(os.pidfd_open(pid))
    try:
        yield held
    finally:
        for descriptor in held:
            os.close(descriptor)


def _await(name: str, held: Iterable[int]) -> None:
    left = set(held)
    deadline = time.monotonic() + _END_SECONDS
    while left:
        ended = select.select(left, [], [], max(0.0, deadline - time.monotonic()))[0]
        if not ended:
            raise SandboxError(
                say(
                    en=f"Some processes of the lab {name!r} did not end within {_END_SECONDS:g} s.",
                    ja=f"ラボ {name!r} のプロセスの一部が {_END_SECONDS:g} 秒以内に終了しませんでした。",
                )
            )
        left.difference_update(ended)
