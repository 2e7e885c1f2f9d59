"""Which labs run on this machine, and how another process of the same user talks to one.

Every lab listens on a Unix socket in a folder that only its user can enter. The socket's name is the lab's name; a socket
that nobody listens on is left over from a killed process and is cleared away.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import stat
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from netlab.errors import NameTaken, NetlabError, NotFound, RequestError, SandboxError
from netlab.language import say
from netlab.names import check_namespace

_LONGEST_REQUEST = 1 << 16
_LONGEST_PATH = 107  # of a socket, in bytes (unix(7))
_ANSWER_SECONDS = 120.0

Answer = Callable[[Any, dict[str, Any]], Any]  # given the lab and a request


def folder() -> Path:
    """Return the folder of the labs' sockets, made if need be; raises SandboxError if it cannot be had."""
    path = _place_of_folder()
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        status = path.lstat()
    except OSError as error:
        raise SandboxError(
            say(
                en=f"{path} cannot be made ({error.strerror}). Set NETLAB_RUNTIME_DIR to a folder of yours.",
                ja=f"{path} を作れません ({error.strerror})。NETLAB_RUNTIME_DIR に自分のフォルダーを設定してください。",
            )
        ) from None
    if status.st_uid != os.getuid() or not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o077:
        raise SandboxError(
            say(
                en=f"{path} belongs to somebody else or is open to others. Remove it, or set NETLAB_RUNTIME_DIR.",
                ja=f"{path} はほかのユーザーのものか、ほかのユーザーも使える状態です。削除するか、"
                "NETLAB_RUNTIME_DIR を設定してください。",
            )
        )
    return path


def _place_of_folder() -> Path:
    chosen = os.environ.get("NETLAB_RUNTIME_DIR")
    if chosen:
        return Path(chosen) / "netlab"
    session = os.environ.get("XDG_RUNTIME_DIR")
    with contextlib.suppress(OSError):  # sudo and su may leave the one of another user
        if session and Path(session).stat().st_uid == os.getuid():
            return Path(session) / "netlab"
    return Path(f"/tmp/netlab-{os.getuid()}")  # noqa: S108 - its owner and mode are checked


def _path(name: str) -> Path:
    path = folder() / f"{name}.sock"
    length = len(os.fsencode(path))
    if length > _LONGEST_PATH:
        raise SandboxError(
            say(
                en=f"The lab cannot listen at {path}: the path has {length} bytes and {_LONGEST_PATH} are allowed. Choose a "
                "shorter name, or set NETLAB_RUNTIME_DIR to a folder with a shorter path.",
                ja=f"ラボは {path} で待ち受けられません。パスが {length} バイトあり、上限の {_LONGEST_PATH} バイトを"
                "超えています。短い名前にするか、NETLAB_RUNTIME_DIR にパスの短いフォルダーを設定してください。",
            )
        )
    return path


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    """Have the folder for oneself: what is bound but does not listen yet looks as if it were left over (flock(2))."""
    descriptor = os.open(folder(), os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def names() -> list[str]:
    """Return the names of all labs that run, of notebooks too; what killed ones left over is cleared away."""
    with _locked():
        return sorted(path.stem for path in folder().glob("*.sock") if _answers(path))


def _answers(path: Path) -> bool:
    """Whether somebody listens; a left-over socket is cleared away. Only under the lock."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)  # the lab's queue may be full: it listens then, all the same
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return False
        except BlockingIOError:
            return True
        except OSError:
            return False
    return True


def owner(name: str) -> int:
    """Return the pid of the process that a lab belongs to, also of one that does not answer; raises NotFound."""
    with _connect(name, _ANSWER_SECONDS) as connection:
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int.from_bytes(credentials[:4], sys.byteorder)


def choose(name: str | None, option: str = "--lab ") -> str:
    """Return the name of the lab that is meant: the given one, or the only one that runs.

    Raises NotFound, or RequestError when there are several; `option` is how one of them is named then.
    """
    running = names()
    if name is not None:
        if name in running:
            return name
        known = ", ".join(running)
        raise NotFound(
            say(
                en=f"No lab {name!r} is running. There are: {known or 'none; start one: netlab up'}",
                ja=f"{name!r} というラボは動いていません。"
                + (f"動いているもの: {known}" if known else "1 つも動いていません。始めるには: netlab up"),
            )
        )
    if len(running) == 1:
        return running[0]
    if not running:
        raise NotFound(
            say(
                en="No lab is running. Start one: netlab up",
                ja="動いているラボはありません。始めるには: netlab up",
            )
        )
    known = ", ".join(running)
    raise RequestError(
        say(
            en=f"Several labs are running: {known}. Say which one is meant: {option}{running[0]}",
            ja=f"複数のラボが動いています: {known}。どれかを指定してください: {option}{running[0]}",
        )
    )


def _connect(name: str, seconds: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(seconds)
    try:
        connection.connect(str(_path(name)))
    except TimeoutError:
        connection.close()
        raise SandboxError(_silent(name, seconds)) from None
    except OSError:
        connection.close()
        raise NotFound(
            say(
                en=f"No lab {name!r} is running. See what runs: netlab ls",
                ja=f"{name!r} というラボは動いていません。動いているものを見るには: netlab ls",
            )
        ) from None
    return connection


def _silent(name: str, seconds: float) -> str:
    return say(
        en=f"Lab {name!r} did not answer within {seconds:g} s. Is its notebook busy? To end it: netlab down {name}",
        ja=f"ラボ {name!r} が {seconds:g} 秒以内に応答しませんでした。ノートブックが実行中かもしれません。終了させるには: "
        f"netlab down {name}",
    )


def ask(name: str, verb: str, /, *, timeout: float = _ANSWER_SECONDS, **fields: Any) -> Any:
    """Ask a running lab; return its answer.

    Raises NotFound when it is gone, SandboxError when it is silent for `timeout` seconds, and NetlabError with the lab's own
    words if it refuses.
    """
    with _connect(name, timeout) as connection:
        try:
            connection.sendall(json.dumps({"verb": verb, **fields}).encode() + b"\n")
            with connection.makefile("rb") as stream:
                line = stream.readline()
        except TimeoutError:
            raise SandboxError(_silent(name, timeout)) from None
        except OSError:
            line = b""
    if not line:
        raise NotFound(
            say(en=f"Lab {name!r} ended before it answered.", ja=f"ラボ {name!r} は応答する前に終了しました。")
        )
    answer = json.loads(line)
    if "error" in answer:
        raise NetlabError(answer["error"])
    return answer["answer"]


class Registration:
    """A lab's name on this machine, and the socket that others reach it at."""

    def __init__(self, name: str | None) -> None:
        if name is not None:
            check_namespace(name)
        self._listener = socket.socket(socket.AF_UNIX)
        try:
            with _locked():
                self.name = self._bind(name)
        except BaseException:
            self._listener.close()
            raise
        self._finalizer = weakref.finalize(self, _close, self._listener, _path(self.name), os.getpid())
        _registrations.add(self)

    def _bind(self, name: str | None) -> str:
        """Take the name, or the first that is free."""
        chosen = name or next(free for free in _candidates() if not _answers(_path(free)))
        path = _path(chosen)
        if _answers(path):
            raise NameTaken(
                say(
                    en=f"A lab {name!r} is running already. Choose another name, or end it: netlab down {name}",
                    ja=f"ラボ {name!r} は、もう動いています。別の名前にするか、終了させてください: netlab down {name}",
                )
            )
        try:
            self._listener.bind(str(path))
            self._listener.listen(16)
        except OSError as error:
            raise SandboxError(
                say(
                    en=f"The lab cannot listen at {path}: {error.strerror}. Set NETLAB_RUNTIME_DIR.",
                    ja=f"ラボは {path} で待ち受けられません: {error.strerror}。NETLAB_RUNTIME_DIR を設定してください。",
                )
            ) from None
        return chosen

    def serve(self, lab: object, answer: Answer) -> None:
        """Have requests to the lab answered from now on, in a thread of its own that does not keep the lab alive."""
        serve(self._listener, lab, answer, self.name)

    def close(self) -> None:
        """Give the name up; harmless when repeated."""
        self._finalizer()

    def disown(self) -> None:
        """Let go of the socket and leave the name alone: this process is a fork of the lab's owner."""
        self._finalizer.detach()
        self._listener.close()


_registrations: weakref.WeakSet[Registration] = weakref.WeakSet()


def _disown_all() -> None:
    """Let a fork hold no socket: a lab that has gone would seem to be there, and never answer."""
    for registration in list(_registrations):
        registration.disown()


os.register_at_fork(after_in_child=_disown_all)


def serve(listener: socket.socket, lab: object, answer: Answer, name: str) -> None:
    """Have requests to a lab answered that come in at a socket, in a thread of its own that does not keep the lab alive."""
    arguments = (listener, weakref.ref(lab), answer)
    threading.Thread(target=_serve, args=arguments, name=f"netlab {name}", daemon=True).start()


def _candidates() -> Iterator[str]:
    yield "lab"
    number = 2
    while True:
        yield f"lab-{number}"
        number += 1


def _close(listener: socket.socket, path: Path, owner: int) -> None:
    if os.getpid() != owner:
        return  # a fork must not take its parent's name away
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for requests
    listener.close()
    path.unlink(missing_ok=True)


def _serve(listener: socket.socket, reference: weakref.ref[object], answer: Answer) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_converse, args=(connection, reference, answer), daemon=True).start()


def _converse(connection: socket.socket, reference: weakref.ref[object], answer: Answer) -> None:
    with connection, contextlib.suppress(OSError), connection.makefile("rwb") as stream:
        line = stream.readline(_LONGEST_REQUEST)
        lab = reference()
        if not line or lab is None:
            return
        try:
            reply = {"answer": answer(lab, json.loads(line))}
        except NetlabError as error:
            reply = {"error": str(error)}
        except (ValueError, KeyError, TypeError) as error:
            said = say(en=f"That request cannot be understood: {error}", ja=f"その要求は理解できません: {error}")
            reply = {"error": said}
        except OSError as error:  # the agent's refusals too
            said = say(en=f"The lab could not do that: {error}", ja=f"ラボでは実行できませんでした: {error}")
            reply = {"error": said}
        stream.write(json.dumps(reply).encode() + b"\n")
