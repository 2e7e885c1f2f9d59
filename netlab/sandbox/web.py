"""The small web server that plays nginx. Runs inside the sandbox: standard library only.

Its page says which machine answered and which address it saw the visitor come from: the first thing one wants to know when
learning about address translation.
"""

from __future__ import annotations

import html
import socket
import sys
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_PAGE = """<!DOCTYPE html>
<html><head><title>{title}</title></head>
<body>
<h1>{title}</h1>
<p>answered by {host}, for a visitor from {visitor}</p>
</body></html>
"""


class _Handler(BaseHTTPRequestHandler):
    server_version = "netlab"
    protocol_version = "HTTP/1.1"
    title = ""
    timeout = 30

    def do_GET(self) -> None:
        visitor = self.client_address[0]
        page = _PAGE.format(title=html.escape(self.title), host=html.escape(socket.gethostname()), visitor=visitor)
        body = page.encode()
        known = self.path.split("?")[0] in ("/", "/index.html")
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body) if known else 0))
        self.end_headers()
        if known and self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *words: object) -> None:  # noqa: A002 - the base class calls it so
        print(f"{self.client_address[0]} - {format % words}", flush=True)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listener: socket.socket, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(listener.getsockname()[:2], handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the base class gives both
        print(f"{client_address}: {sys.exc_info()[1]}", flush=True)


def serve(listeners: Sequence[socket.socket], title: str) -> None:
    """Answer HTTP on the given listening sockets until the process is stopped."""
    handler = type("Handler", (_Handler,), {"title": title})
    first, *others = [_Server(listener, handler) for listener in listeners]
    for server in others:
        threading.Thread(target=server.serve_forever, args=(None,), daemon=True).start()
    first.serve_forever(None)  # type: ignore[arg-type]  # None waits without ever waking up; the stubs want a number
