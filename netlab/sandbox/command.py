"""Commands in a node: started by the agent, with pipes that belong to the owner, so that output never passes the agent."""

from __future__ import annotations

import codecs
import os
import selectors
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from netlab.errors import LabClosed
from netlab.interrupts import held_back
from netlab.sandbox.client import Sandbox
from netlab.sandbox.wire import memory_file

_CHUNK = 1 << 16
_GRACE_SECONDS = 1.0

Hear = Callable[[str, str], None]  # called with "stdout" or "stderr" and a piece of text


@dataclass(frozen=True, slots=True)
class Completed:
    """How a command ended; a negative `returncode` is the signal that ended it."""

    returncode: int
    stdout: str
    stderr: str
    timed_out: bool = False


class Running:
    """A command that has been started; it is the leader of a process group of its own."""

    def __init__(self, sandbox: Sandbox, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None
        self.ended, self._tell_end = os.pipe()  # readable once the command has ended
        self._sandbox = sandbox
        sandbox.when_ended(pid, self._end)

    def _end(self, status: int) -> None:
        self.status = status
        os.close(self._tell_end)

    def signal(self, number: int) -> None:
        """Send a signal to the command and to all that it started in its group."""
        try:
            self._sandbox.ask("signal", pid=-self.pid, signal=number)
        except LabClosed:
            return  # then nothing of it is left

    def close(self) -> None:
        """Let go of the descriptor that tells the end."""
        os.close(self.ended)


def start(
    sandbox: Sandbox,
    node: str,
    argv: Sequence[str],
    streams: Sequence[int],
    *,
    namespace: str | None = None,
    folder: str = "/",
    more_environment: Mapping[str, str] | None = None,
) -> Running:
    """Start a command in a node with the given standard streams; returns at once."""
    answer = sandbox.ask(
        "spawn",
        streams,
        name=node,
        namespace=namespace,
        argv=list(argv),
        folder=folder,
        environment={**environment(), **(more_environment or {})},
    )
    return Running(sandbox, answer.fields["pid"])


def environment() -> dict[str, str]:
    """Return the environment of commands in the lab: plain and the same everywhere, so that outputs can be compared."""
    return {
        "HOME": os.environ.get("HOME", "/"),
        "TERM": "xterm",
        "LC_ALL": "C.UTF-8",
        "USER": "root",
    }


def run(
    sandbox: Sandbox,
    node: str,
    argv: Sequence[str],
    *,
    text: str | None = None,
    namespace: str | None = None,
    folder: str = "/",
    timeout: float | None = None,
    hear: Hear | None = None,
) -> Completed:
    """Run a command to its end and return what it said; `hear` gets the output while it comes.

    `timeout` is in seconds; a command that takes longer is killed. An interrupt (KeyboardInterrupt) is passed on to the
    command and raised again once it has ended.
    """
    with held_back() as window:  # a command that was started must also be ended
        pipes = [os.pipe(), os.pipe()]
        given = _standard_input(text)
        try:
            running = start(sandbox, node, argv, [given, pipes[0][1], pipes[1][1]], namespace=namespace, folder=folder)
        except BaseException:
            for read_end, _ in pipes:
                os.close(read_end)
            raise
        finally:
            os.close(given)
            for _, write_end in pipes:
                os.close(write_end)
        reader = _Reader({pipes[0][0]: "stdout", pipes[1][0]: "stderr"}, running, hear)
        try:
            with window():
                timed_out = reader.read_to_end(timeout)
        except BaseException:
            reader.stop()
            raise
        finally:
            reader.close()
            running.close()
    status = running.status if running.status is not None else -signal.SIGKILL
    return Completed(status, reader.texts["stdout"], reader.texts["stderr"], timed_out)


def _standard_input(text: str | None) -> int:
    return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC) if text is None else memory_file(text.encode())


class _Reader:
    """Reads the pipes of a command until it has ended.

    A child that it left behind may still hold them: that is not waited for, as a student may well start a server with `&`.
    """

    def __init__(self, pipes: dict[int, str], running: Running, hear: Hear | None) -> None:
        self.texts = {"stdout": "", "stderr": ""}
        self._pipes = pipes
        self._running = running
        self._hear = hear
        self._decoders = {pipe: codecs.getincrementaldecoder("utf-8")("replace") for pipe in pipes}
        self._selector = selectors.DefaultSelector()
        for descriptor in (*pipes, running.ended):
            if descriptor != running.ended:
                os.set_blocking(descriptor, False)
            self._selector.register(descriptor, selectors.EVENT_READ)

    def read_to_end(self, timeout: float | None) -> bool:
        """Read until the command has ended; kill it when `timeout` seconds have passed, and return whether they had."""
        deadline = None if timeout is None else time.monotonic() + timeout
        timed_out = False
        while True:
            remaining = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready = self._selector.select(remaining)
            if not ready:
                timed_out, deadline = True, None
                self._running.signal(signal.SIGKILL)
                continue
            ended = False
            for key, _ in ready:
                if key.fd == self._running.ended:
                    ended = True
                else:
                    self._take(key.fd)
            if ended:
                for pipe in self._pipes:
                    while self._take(pipe):
                        pass
                return timed_out

    def _take(self, pipe: int) -> bool:
        try:
            data = os.read(pipe, _CHUNK)
        except BlockingIOError:
            return False
        piece = self._decoders[pipe].decode(data, final=not data)
        if piece:
            self.texts[self._pipes[pipe]] += piece
            if self._hear:
                self._hear(self._pipes[pipe], piece)
        elif not data and pipe in self._selector.get_map():
            self._selector.unregister(pipe)
        return bool(data)

    def stop(self) -> None:
        """Interrupt the command as Ctrl-C does, and kill it if it does not end."""
        self._running.signal(signal.SIGINT)
        if not self._ended_within(_GRACE_SECONDS):
            self._running.signal(signal.SIGKILL)
            self._ended_within(_GRACE_SECONDS)

    def _ended_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while (remaining := deadline - time.monotonic()) > 0:
            for key, _ in self._selector.select(remaining):
                if key.fd == self._running.ended:
                    return True
                self._take(key.fd)
        return False

    def close(self) -> None:
        """Let go of the pipes."""
        self._selector.close()
        for pipe in self._pipes:
            os.close(pipe)
