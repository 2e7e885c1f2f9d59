"""What the first process of a node does: nothing, serve web pages, or become another program.

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Callable, Sequence
from typing import Any

from netlab.sandbox import proxy


class Role:
    """A role that is ready to be played, and the sockets that it has opened for that.

    `gate` is the agent's end of a pair whose other end the role waits for: it goes on once that is closed.
    """

    def __init__(
        self, play: Callable[[], None], listeners: Sequence[socket.socket] = (), gate: socket.socket | None = None
    ) -> None:
        self.play = play
        self.idle = play is _wait
        self.listeners = listeners
        self.gate = gate

    @property
    def descriptors(self) -> set[int]:
        """What must stay open for it."""
        return {listener.fileno() for listener in self.listeners}

    def close(self) -> None:
        """Close the sockets, in a process that does not play the role."""
        for listener in self.listeners:
            listener.close()


def load() -> None:
    """Import what roles need, once, before the first fork."""
    from netlab.sandbox import web  # noqa: F401 PLC0415 - loaded here so that every fork finds it in memory


def prepare(role: dict[str, Any]) -> Role:
    """Open the sockets that the role needs, so that a node that has been made is a node that serves."""
    kind = role["kind"]
    if kind == "web":
        return _web(role)
    if kind == "program":
        return _program(role)
    if kind == "proxy":
        return _proxy(role)
    if kind == "command":
        return _command(role)
    return Role(_wait)


def _wait() -> None:
    """Stay until told to stop, as `sleep infinity` would."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while True:
        signal.pause()


def _listener(kind: str, family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    stream = kind == "tcp"
    listener = socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind((address, port))
    if stream:
        listener.listen(512)
    return listener


def _web(role: dict[str, Any]) -> Role:
    from netlab.sandbox import web  # noqa: PLC0415 - see load

    listeners = [_listener("tcp", socket.AF_INET, "0.0.0.0", role["port"])]
    if socket.has_ipv6 and os.path.exists("/proc/net/if_inet6"):
        listeners.append(_listener("tcp", socket.AF_INET6, "::", role["port"]))
    return Role(lambda: web.serve(listeners, role["title"]), listeners)


def _proxy(role: dict[str, Any]) -> Role:
    protocol, (address, port) = role["protocol"], role["target"]
    listeners = [proxy.listen(protocol, *where) for where in role["listen"]]
    return Role(lambda: proxy.serve(protocol, listeners, (address, port)), listeners)


def _program(role: dict[str, Any]) -> Role:
    """Become another program once somebody calls; it finds its sockets from descriptor 3 on, already bound."""
    listeners = [_listener(kind, socket.AF_INET, address, port) for kind, address, port in role["listen"]]

    def play() -> None:
        select.select(listeners, [], [])
        for number, listener in enumerate(listeners, start=3):
            if listener.fileno() != number:
                os.dup2(listener.fileno(), number)
            os.set_inheritable(number, True)
        os.execve(role["argv"][0], role["argv"], role["environment"])

    return Role(play, listeners)


def _command(role: dict[str, Any]) -> Role:
    """Become a command once the gate opens, when the container is connected; its output goes to the node's log."""
    waits, gate = socket.socketpair()

    def play() -> None:
        waits.recv(1)
        waits.close()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        argv = role["argv"]
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and a program would inherit that
            signal.signal(number, signal.SIG_DFL)
        try:
            os.execvpe(argv[0], argv, role["environment"])
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            reason = "executable file not found in $PATH" if missing else (error.strerror or "").lower()
            os.write(2, f'exec: "{argv[0]}": {reason}\n'.encode())
            os._exit(127 if missing else 126)

    return Role(play, [waits], gate)
