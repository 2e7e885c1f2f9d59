"""Which labs run on this machine, and how another process of the same user talks to one.

Every lab listens on a Unix socket in a folder that only its user can enter. The socket's name is the lab's name; a socket
that nobody listens on is left over from a killed process and is cleared away.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from netlab.errors import NameTaken, NetlabError, NotFound, RequestError, SandboxError
from netlab.names import check_namespace

_LONGEST_REQUEST = 1 << 16

Answer = Callable[[Any, dict[str, Any]], Any]  # given the lab and a request


def folder() -> Path:
    """Return the folder of the labs' sockets, made if need be; raises SandboxError if somebody else has it."""
    base = os.environ.get("NETLAB_RUNTIME_DIR") or os.environ.get("XDG_RUNTIME_DIR")
    path = Path(base) / "netlab" if base and os.access(base, os.W_OK) else Path(f"/tmp/netlab-{os.getuid()}")  # noqa: S108 - owner and mode are checked below
    path.mkdir(mode=0o700, exist_ok=True)
    status = path.lstat()
    if status.st_uid != os.getuid() or not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o077:
        raise SandboxError(
            f"{path} belongs to somebody else or is open to others. Remove it, or set NETLAB_RUNTIME_DIR."
        )
    return path


def _path(name: str) -> Path:
    return folder() / f"{name}.sock"


def names() -> list[str]:
    """Return the names of all labs that run, of notebooks too."""
    return sorted(path.stem for path in folder().glob("*.sock") if _answers(path))


def _answers(path: Path) -> bool:
    """Whether somebody listens; a left-over socket is cleared away."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return False
        except OSError:
            return False
    return True


def choose(name: str | None) -> str:
    """Return the name of the lab that is meant: the given one, or the only one that runs; raises NotFound."""
    running = names()
    if name is not None:
        if name in running:
            return name
        raise NotFound(f"No lab {name!r} is running. There are: {', '.join(running) or 'none; start one: netlab up'}")
    if len(running) == 1:
        return running[0]
    if not running:
        raise NotFound("No lab is running. Start one: netlab up")
    raise RequestError(f"Several labs are running: {', '.join(running)}. Say which one: --lab {running[0]}")


def ask(name: str, verb: str, **fields: Any) -> Any:
    """Ask a running lab; return its answer. Raises NotFound when it is gone, NetlabError with its own words if it refuses."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(_path(name)))
        except OSError:
            raise NotFound(f"No lab {name!r} is running. See what runs: netlab ls") from None
        connection.sendall(json.dumps({"verb": verb, **fields}).encode() + b"\n")
        with connection.makefile("rb") as stream:
            line = stream.readline()
    if not line:
        raise NotFound(f"Lab {name!r} ended before it answered.")
    answer = json.loads(line)
    if "error" in answer:
        raise NetlabError(answer["error"])
    return answer["answer"]


class Registration:
    """A lab's name on this machine, and the socket that others reach it at."""

    def __init__(self, name: str | None) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self.name = self._bind(check_namespace(name)) if name is not None else self._bind_any()
        os.set_inheritable(self._listener.fileno(), False)
        self._finalizer = weakref.finalize(self, _close, self._listener, _path(self.name), os.getpid())

    def _bind(self, name: str) -> str:
        path = _path(name)
        if path.exists() and _answers(path):
            self._listener.close()
            raise NameTaken(f"A lab {name!r} is running already. Choose another name, or end it: netlab down {name}")
        try:
            self._listener.bind(str(path))
        except OSError as error:
            self._listener.close()
            raise NameTaken(f"A lab cannot be called {name!r} here: {error.strerror}. Choose another name.") from None
        self._listener.listen(16)
        return name

    def _bind_any(self) -> str:
        for name in _candidates():
            if not _path(name).exists() or not _answers(_path(name)):
                with contextlib.suppress(OSError):  # another process took the name in between
                    self._listener.bind(str(_path(name)))
                    self._listener.listen(16)
                    return name
        raise AssertionError("unreachable")

    def serve(self, lab: object, answer: Answer) -> None:
        """Have requests to the lab answered from now on, in a thread of its own that does not keep the lab alive."""
        arguments = (self._listener, weakref.ref(lab), answer)
        threading.Thread(target=_serve, args=arguments, name=f"netlab {self.name}", daemon=True).start()

    def close(self) -> None:
        """Give the name up; harmless when repeated."""
        self._finalizer()


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
            reply = {"error": f"That request cannot be understood: {error}"}
        stream.write(json.dumps(reply).encode() + b"\n")
