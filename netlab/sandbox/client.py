"""The owner's side of a sandbox: starts it, asks its agent, and sees to its end."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netlab.errors import LabClosed, MissingTool, SandboxError
from netlab.language import say
from netlab.sandbox.diagnosis import explain
from netlab.sandbox.limits import raise_open_files
from netlab.sandbox.wire import MAX_MESSAGE, receive, send

_START = "import sys; sys.path.append(sys.argv[1]); from netlab.sandbox.agent import main; main()"
_UNSHARE = ["--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc"]
_START_SECONDS = 20.0
_ANSWER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the agent answered: the fields of its reply, descriptors that now belong to the caller, the sender's pid."""

    fields: dict[str, Any]
    descriptors: list[int] = field(default_factory=list)
    sender: int = 0


class AgentRefusal(OSError):
    """The agent could not do what was asked; `errno` and `filename` are those of the failed system call."""


class Sandbox:
    """One rootless sandbox. It ends with `close`, with this object, or with this process, whichever comes first."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[Answer]] = {}
        self._endings: dict[int, Callable[[int], None]] = {}
        self._early: dict[int, int] = {}
        self._over = False
        self.features: dict[str, bool] = {}
        raise_open_files()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * MAX_MESSAGE)
        self._control = ours
        with theirs:
            self._process = _launch(theirs)
        self._finalizer = weakref.finalize(self, _end, self._control, self._process)
        _sandboxes.add(self)
        started: Future[Answer] = Future()
        self._waiting[0] = started
        threading.Thread(target=_listen, args=(weakref.ref(self), ours), name="netlab sandbox", daemon=True).start()
        self._await_start(started)

    def _await_start(self, started: Future[Answer]) -> None:
        try:
            self.features = started.result(_START_SECONDS).fields["features"]
        except FutureTimeout:
            self.close()
            raise SandboxError(
                say(
                    en=f"The sandbox did not start within {_START_SECONDS:.0f} s. Try again.",
                    ja=f"サンドボックスが {_START_SECONDS:.0f} 秒以内に起動しませんでした。もう一度試してください。",
                )
            ) from None
        except (OSError, LabClosed) as error:
            said = self._last_words() if isinstance(error, LabClosed) else f"{error.filename}: {error.strerror}"
            self.close()
            raise SandboxError(explain(said)) from None

    def _last_words(self) -> str:
        stderr = self._process.stderr
        if stderr is None:
            return ""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)
        os.set_blocking(stderr.fileno(), False)
        return (stderr.read() or b"").decode(errors="replace")

    # ── asking ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def submit(self, verb: str, descriptors: Sequence[int] = (), **fields: Any) -> Future[Answer]:
        """Send a request and return at once; the future gives the answer, or raises `AgentRefusal` or `LabClosed`."""
        future: Future[Answer] = Future()
        with self._lock:
            if self._over:
                raise LabClosed(self.epitaph())
            number = next(self._ids)
            self._waiting[number] = future
            try:
                send(self._control, {"verb": verb, "id": number, **fields}, descriptors)
            except OSError:
                self._waiting.pop(number, None)
                raise LabClosed(self.epitaph()) from None
        return future

    def ask(self, verb: str, descriptors: Sequence[int] = (), **fields: Any) -> Answer:
        """Send a request and wait for the answer. Raises `AgentRefusal` or `LabClosed`."""
        future = self.submit(verb, descriptors, **fields)
        try:
            return future.result(_ANSWER_SECONDS)
        except FutureTimeout:
            future.add_done_callback(_drop)
            raise SandboxError(
                say(
                    en=f"The sandbox did not answer within {_ANSWER_SECONDS:.0f} s. Close the lab.",
                    ja=f"サンドボックスが {_ANSWER_SECONDS:.0f} 秒以内に応答しませんでした。ラボを閉じてください。",
                )
            ) from None
        except BaseException:
            future.add_done_callback(_drop)  # an interrupted cell must not leak the descriptors of a late answer
            raise

    def when_ended(self, pid: int, tell: Callable[[int], None]) -> None:
        """Have `tell` called with the exit status (negative: a signal) when a process that was started has ended."""
        with self._lock:
            if pid in self._early:
                status = self._early.pop(pid)
            else:
                self._endings[pid] = tell
                return
        tell(status)

    def epitaph(self) -> str:
        """Return what there is to say to whoever asks something of a sandbox that has ended."""
        return say(
            en="This lab is closed, or its sandbox has ended. Make a new one: lab = Lab(), or bring this one back: lab.reset()",
            ja="このラボは閉じられたか、サンドボックスが終了しています。新しく作るには: lab = Lab()、"
            "このラボを元に戻すには: lab.reset()",
        )

    # ── hearing ────────────────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, message: dict[str, Any], descriptors: list[int], sender: int) -> None:
        """Pass on an answer, or the end of a process; for the listening thread."""
        if "ended" in message:
            with self._lock:
                tell = self._endings.pop(message["ended"], None)
                if tell is None:
                    self._early[message["ended"]] = message["status"]
            if tell:
                tell(message["status"])
            return
        with self._lock:
            future = self._waiting.pop(message["id"], None)
        if future is None or not future.set_running_or_notify_cancel():
            for descriptor in descriptors:
                os.close(descriptor)
        elif "error" in message:
            number = message["error"]
            future.set_exception(AgentRefusal(number, os.strerror(number) if number else "", message["where"]))
        else:
            future.set_result(Answer(message, descriptors, sender))

    def hear_end(self) -> None:
        """Tell all who still wait that the sandbox is gone; for the listening thread."""
        with self._lock:
            self._over = True
            futures = list(self._waiting.values())
            endings = list(self._endings.values())
            self._waiting.clear()
            self._endings.clear()
        for future in futures:
            if future.set_running_or_notify_cancel():
                future.set_exception(LabClosed(self.epitaph()))
        for tell in endings:
            tell(-signal.SIGKILL)

    # ── ending ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def alive(self) -> bool:
        """Whether the agent still answers."""
        return not self._over

    def check(self) -> None:
        """Raise LabClosed when the sandbox has ended."""
        if self._over:
            raise LabClosed(self.epitaph())

    @property
    def pid(self) -> int:
        """The pid, on the machine, of the process that waits for the sandbox to end."""
        return self._process.pid

    def close(self) -> None:
        """End the sandbox and everything in it; harmless when it has ended."""
        self._finalizer()
        self.hear_end()

    def disown(self) -> None:
        """Let go of the sandbox without ending it: this process is a fork of its owner."""
        self._over = True
        self._finalizer.detach()
        self._control.close()
        if self._process.stderr is not None:
            self._process.stderr.close()


_sandboxes: weakref.WeakSet[Sandbox] = weakref.WeakSet()


def _disown_all() -> None:
    for sandbox in list(_sandboxes):
        sandbox.disown()


os.register_at_fork(after_in_child=_disown_all)


def _launch(theirs: socket.socket) -> subprocess.Popen[bytes]:
    program = shutil.which("unshare", path=os.environ.get("PATH", "") + ":/usr/bin:/bin")
    if program is None:
        raise MissingTool(
            say(
                en="`unshare` is not installed. Install it: sudo apt-get install util-linux",
                ja="`unshare` がインストールされていません。インストールするには: sudo apt-get install util-linux",
            )
        )
    root = str(Path(__file__).parents[2])
    with os.fdopen(os.pidfd_open(os.getpid()), "rb") as owner:
        numbers = [str(theirs.fileno()), str(owner.fileno())]
        return subprocess.Popen(
            [program, *_UNSHARE, sys.executable, "-I", "-S", "-c", _START, root, *numbers, _working_directory()],
            pass_fds=(theirs.fileno(), owner.fileno()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # an interrupt typed at the owner's terminal must not reach the sandbox
        )


def _working_directory() -> str:
    """Return the folder that stays writable in the sandbox; the root stands for none."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return "/"  # it has been deleted


def _listen(reference: weakref.ref[Sandbox], control: socket.socket) -> None:
    """Hear the agent until it is gone; holds the sandbox only for a moment, so that an unused one can go."""
    while True:
        try:
            message, descriptors, sender = receive(control)
        except OSError:
            message, descriptors, sender = None, [], 0
        sandbox = reference()
        if sandbox is None:
            for descriptor in descriptors:
                os.close(descriptor)
            return
        if message is None:
            sandbox.hear_end()
            return
        sandbox.hear(message, descriptors, sender)
        del sandbox


def _drop(future: Future[Answer]) -> None:
    if not future.cancelled() and future.exception() is None:
        for descriptor in future.result().descriptors:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def _end(control: socket.socket, process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        control.shutdown(socket.SHUT_RDWR)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stderr is not None:
        process.stderr.close()
    control.close()
