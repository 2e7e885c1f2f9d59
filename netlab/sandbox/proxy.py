"""docker-proxy: carries connections from the host's own addresses to a published port of a container.

Packets from outside never pass here, the host's DNAT rule carries them; but a connection from the host to its own loopback
address, or from IPv6 to a container that has only IPv4, cannot be translated, so somebody must answer it and connect anew.
Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence

_PIECE = 1 << 16
_LARGEST_DATAGRAM = 65535
_UDP_SECONDS = 90.0  # of silence until a UDP conversation is over, as docker-proxy's
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def listen(protocol: str, address: str, port: int) -> socket.socket:
    """Return a socket that listens on an address of the host; raises OSError when somebody has the port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
    if protocol == "tcp":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind((address, port))
    if protocol == "tcp":
        listener.listen(512)
    return listener


def serve(protocol: str, listeners: Sequence[socket.socket], target: tuple[str, int]) -> None:
    """Carry everything that comes to the listeners to the target, until the process is stopped."""
    work: Callable[[socket.socket, tuple[str, int]], None] = _serve_tcp if protocol == "tcp" else _serve_udp
    for listener in listeners[1:]:
        threading.Thread(target=work, args=(listener, target), daemon=True).start()
    work(listeners[0], target)


def _serve_tcp(listener: socket.socket, target: tuple[str, int]) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_carry, args=(connection, target), daemon=True).start()


def _carry(connection: socket.socket, target: tuple[str, int]) -> None:
    """Join a connection to a new one to the target; a target that refuses makes the connection end in a reset."""
    with connection:
        try:
            onward = socket.create_connection(target)
        except OSError:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            return
        with onward:
            back = threading.Thread(target=_pump, args=(onward, connection), daemon=True)
            back.start()
            _pump(connection, onward)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Move bytes one way, inside the kernel (splice(2)), until the source has no more; then say so to the sink."""
    pipe_out, pipe_in = os.pipe()
    with contextlib.suppress(OSError):  # either side may go away at any moment
        while moved := os.splice(source.fileno(), pipe_in, _PIECE):
            while moved:
                moved -= os.splice(pipe_out, sink.fileno(), moved)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
    for end in (pipe_out, pipe_in):
        os.close(end)


def _serve_udp(listener: socket.socket, target: tuple[str, int]) -> None:
    """Carry datagrams; each sender has a socket of its own towards the target, so that answers find their way back."""
    senders: dict[tuple[str, int], tuple[socket.socket, float]] = {}
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    owners: dict[int, tuple[str, int]] = {}
    while True:
        for descriptor, _ in poll.poll(_UDP_SECONDS * 1000 / 3 if senders else None):
            with contextlib.suppress(OSError):  # the container may refuse; the sender then hears nothing
                if descriptor == listener.fileno():
                    data, sender = listener.recvfrom(_LARGEST_DATAGRAM)
                    if sender not in senders:
                        onward = socket.socket(
                            socket.AF_INET6 if ":" in target[0] else socket.AF_INET, socket.SOCK_DGRAM
                        )
                        onward.connect(target)
                        poll.register(onward, select.POLLIN)
                        owners[onward.fileno()] = sender
                        senders[sender] = (onward, 0)
                    onward = senders[sender][0]
                    senders[sender] = (onward, time.monotonic())
                    onward.send(data)
                else:
                    sender = owners[descriptor]
                    listener.sendto(senders[sender][0].recv(_LARGEST_DATAGRAM), sender)
        for sender, (onward, heard) in list(senders.items()):
            if time.monotonic() - heard > _UDP_SECONDS:
                poll.unregister(onward)
                del owners[onward.fileno()], senders[sender]
                onward.close()
