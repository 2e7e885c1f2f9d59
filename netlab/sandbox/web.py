"""The small web server that plays nginx. Runs inside the sandbox: standard library only, and little of that.

Its page says which machine answered and which address it saw the visitor come from: the first thing one wants to know when
learning about address translation. It is written by hand because every fork of the agent carries what the agent has
imported: `http.server` and all that it needs make a fork twice as slow.
"""

from __future__ import annotations

import _thread
import contextlib
import select
import socket
import time
from collections.abc import Sequence
from typing import BinaryIO

_PAGE = """<!DOCTYPE html>
<html><head><title>{title}</title></head>
<body>
<h1>{title}</h1>
<p>answered by {host}, for a visitor from {visitor}</p>
</body></html>
"""
_IDLE_SECONDS = 30
_LONGEST_LINE = 1 << 16
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 501: "Not Implemented"}


def serve(listeners: Sequence[socket.socket], title: str) -> None:
    """Answer HTTP on the given listening sockets until the process is stopped."""
    poll = select.poll()
    for listener in listeners:
        poll.register(listener, select.POLLIN)
    by_number = {listener.fileno(): listener for listener in listeners}
    while True:
        for number, _ in poll.poll():
            with contextlib.suppress(OSError):  # the visitor may be gone already
                connection, address = by_number[number].accept()
                _thread.start_new_thread(_converse, (connection, address[0], title))


def _converse(connection: socket.socket, visitor: str, title: str) -> None:
    """Answer one visitor's requests until he goes, or says nothing for a while."""
    with contextlib.suppress(OSError), connection:
        connection.settimeout(_IDLE_SECONDS)
        with connection.makefile("rb") as stream:
            while (request := _read_request(stream)) is not None:
                status, stays = _judge(*request)
                page = _page(title, visitor) if status == 200 else b""
                connection.sendall(_head(status, len(page)) + (b"" if request[0].startswith("HEAD ") else page))
                print(f'{visitor} - "{request[0]}" {status}', flush=True)
                if not stays:
                    return


def _read_request(stream: BinaryIO) -> tuple[str, list[str]] | None:
    """Return the first line and the header lines, or None when the visitor has gone."""
    lines: list[str] = []
    while line := stream.readline(_LONGEST_LINE):
        text = line.decode("latin-1").strip()
        if not text:
            if lines:
                return lines[0], lines[1:]
            continue
        lines.append(text)
    return None


def _judge(request: str, headers: list[str]) -> tuple[int, bool]:
    """Return the status to answer with, and whether the connection stays open afterwards."""
    words = request.split()
    if len(words) != 3:
        return 400, False
    method, target, version = words
    stays = version == "HTTP/1.1" and "connection: close" not in map(str.lower, headers)
    if method not in ("GET", "HEAD"):
        return 501, False  # with a body perhaps, which nobody reads
    return (200 if target.split("?")[0] in ("/", "/index.html") else 404), stays


def _page(title: str, visitor: str) -> bytes:
    return _PAGE.format(title=title, host=socket.gethostname(), visitor=visitor).encode()


def _head(status: int, length: int) -> bytes:
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
    head = [
        f"HTTP/1.1 {status} {_REASONS[status]}",
        "Server: netlab",
        f"Date: {date}",
        "Content-Type: text/html; charset=utf-8",
        f"Content-Length: {length}",
    ]
    return "\r\n".join([*head, "", ""]).encode()
