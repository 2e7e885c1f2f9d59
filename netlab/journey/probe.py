"""The probe: real packets from real sockets of the place that the journey begins in.

A probe is a generator: it does what can be done at once, and yields what it waits for. So one thread can hear the probe, the
captures and the rule traces at once, and an interrupt ends all of them. The name is looked up as the C library does it:
/etc/hosts, then the name servers of /etc/resolv.conf (resolv.conf(5)).
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
import struct
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from netlab.journey.target import Target
from netlab.world import World

READ, WRITE = 1, 2  # selectors.EVENT_READ, EVENT_WRITE
_LONGEST_ANSWER = 1 << 16
_RECEIVE_ERRORS, _RECEIVE_ERRORS6 = 11, 25  # IP_RECVERR, IPV6_RECVERR (ip(7))
_ERROR_QUEUE = 0x2000  # MSG_ERRQUEUE


class Wait(NamedTuple):
    """What a probe waits for: a socket that is ready, or that many seconds."""

    socket: socket.socket
    events: int
    seconds: float


Waiting = Generator[Wait, bool, None]  # it is sent whether the socket became ready in time
Stage = Literal["lookup", "connect", "answer", "done"]


@dataclass(slots=True)
class Lookup:
    """How a name became an address."""

    name: str
    by: Literal["literal", "hosts", "dns", "nothing"] = "literal"
    servers: tuple[str, ...] = ()
    asked: str = ""  # the server that answered, or the last one that was asked
    outcome: Literal["answer", "nxdomain", "empty", "failure", "silence", "unreachable", "refused"] = "answer"
    addresses: tuple[str, ...] = ()
    errno: int = 0


@dataclass(slots=True)
class Outcome:
    """What became of a probe. `errno` is that of the system call that failed, 0 for none."""

    lookup: Lookup
    stage: Stage = "lookup"
    address: str = ""
    source: str = ""
    port: int = 0  # the probe's own: a port, or the id of the echo request
    question: int = 0  # the id of its questions to name servers
    errno: int = 0
    silent: bool = False  # nothing came back in time
    status: str = ""  # the first line of a web server's answer
    octets: int = 0  # received
    milliseconds: float | None = None  # from the first packet to the answer

    @property
    def ok(self) -> bool:
        """Whether an answer came."""
        return self.stage == "done"


class Probe:
    """One probe from a place to a target; `timeout` is how many seconds it waits for each answer."""

    def __init__(self, world: World, place: str, target: Target, timeout: float) -> None:
        self.world, self.place, self.target, self.timeout = world, place, target, timeout
        self.outcome = Outcome(Lookup(target.host))
        self._sockets: list[socket.socket] = []
        self._resolver = self._open(socket.AF_INET, socket.SOCK_DGRAM)
        self.outcome.question = int.from_bytes(os.urandom(2), "big")
        if target.protocol == "icmp":
            self.outcome.port = int.from_bytes(os.urandom(2), "big") | 0x8000
        else:
            kind = socket.SOCK_STREAM if target.protocol == "tcp" else socket.SOCK_DGRAM
            self._socket = self._open(socket.AF_INET, kind)
            self._socket.bind(("", 0))
            self.outcome.port = self._socket.getsockname()[1]

    def _open(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        opened = self.world.open_socket(self.place, family, kind, protocol)
        self._sockets.append(opened)
        opened.setblocking(False)
        return opened

    def close(self) -> None:
        """Close its sockets."""
        for one in self._sockets:
            one.close()

    def run(self) -> Waiting:
        """Look the name up, send, and wait for the answer."""
        yield from self._look_up()
        if not self.outcome.lookup.addresses:
            return
        self.outcome.address = self.outcome.lookup.addresses[0]
        self.outcome.stage = "connect"
        began = time.monotonic()
        try:
            if self.target.protocol == "icmp":
                yield from self._ping()
            else:
                yield from self._connect()
        except OSError as error:
            self.outcome.errno = error.errno or errno.EIO
        self.outcome.milliseconds = (time.monotonic() - began) * 1000

    # ── the name ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _look_up(self) -> Waiting:
        lookup = self.outcome.lookup
        with contextlib.suppress(ValueError):
            lookup.addresses = (str(ipaddress.ip_address(lookup.name)),)
            return
        listed = [line.split("#")[0].split() for line in self._file("hosts").splitlines()]
        lookup.addresses = tuple(words[0] for words in listed if lookup.name in words[1:])[:1]
        if lookup.addresses:
            lookup.by = "hosts"
            return
        settings = [line.split() for line in self._file("resolv.conf").splitlines() if line.strip()]
        lookup.servers = tuple(words[1] for words in settings if words[0] == "nameserver" and len(words) > 1)
        lookup.by = "dns" if lookup.servers else "nothing"
        lookup.outcome = "silence" if lookup.servers else "unreachable"
        search = next((words[1:] for words in settings if words[0] in ("search", "domain")), [])
        names = [lookup.name, *(f"{lookup.name}.{domain}" for domain in search)]
        for name in names if "." in lookup.name else names[1:] + names[:1]:
            if not (yield from self._ask_servers(name)):
                return

    def _file(self, name: str) -> str:
        try:
            return self.world.read_file(self.place, f"/proc/{self.world.entry(self.place).pid}/root/etc/{name}")
        except OSError:
            return ""

    def _ask_servers(self, name: str) -> Generator[Wait, bool, bool]:
        """Ask one server after the other; return whether another name may be tried, as this one does not exist."""
        lookup = self.outcome.lookup
        for server in lookup.servers:
            lookup.asked = server
            for kind in ("A", "AAAA"):
                yield from self._ask(server, name, kind)
                if lookup.outcome != "empty":
                    break
            if lookup.outcome in ("answer", "nxdomain", "empty"):
                return lookup.outcome == "nxdomain"
        return False

    def _ask(self, server: str, name: str, kind: str) -> Waiting:
        import dns.message  # noqa: PLC0415 - not needed by those who trace nothing
        import dns.rcode  # noqa: PLC0415

        lookup = self.outcome.lookup
        question = dns.message.make_query(name, kind, id=self.outcome.question)
        try:
            self._resolver.connect((server, 53))
            self._resolver.send(question.to_wire())
            if not (yield Wait(self._resolver, READ, self.timeout)):
                lookup.outcome = "silence"
                return
            answer = dns.message.from_wire(self._resolver.recv(_LONGEST_ANSWER))
        except OSError as error:
            lookup.errno = error.errno or errno.EIO
            lookup.outcome = "refused" if error.errno == errno.ECONNREFUSED else "unreachable"
            return
        lookup.addresses = tuple(
            item.to_text() for one in answer.answer for item in one if one.rdtype.name in ("A", "AAAA")
        )
        if answer.rcode() == dns.rcode.NXDOMAIN:
            lookup.outcome = "nxdomain"
        elif answer.rcode() != dns.rcode.NOERROR:
            lookup.outcome = "failure"
        else:
            lookup.outcome = "answer" if lookup.addresses else "empty"

    # ── the packets ────────────────────────────────────────────────────────────────────────────────────────────────

    def _connect(self) -> Waiting:
        outcome, target = self.outcome, self.target
        connection = self._socket
        if ":" in outcome.address:
            family, kind = socket.AF_INET6, connection.type
            connection = self._open(family, kind)
            connection.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # the port is taken for IPv4 already
            connection.bind(("::", outcome.port))
        if target.protocol == "udp":
            connection.setsockopt(*_error_option(connection), 1)
        status = connection.connect_ex((outcome.address, target.port))
        if status not in (0, errno.EINPROGRESS):
            raise OSError(status, os.strerror(status))
        if target.protocol == "udp":
            yield from self._datagram(connection)
            return
        if not (yield Wait(connection, WRITE, self.timeout)):
            outcome.silent = True
            return
        status = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if status:
            raise OSError(status, os.strerror(status))
        outcome.source = connection.getsockname()[0]
        outcome.stage = "answer"
        if target.path is None:
            outcome.stage = "done"
            return
        yield from self._page(connection)

    def _page(self, connection: socket.socket) -> Waiting:
        outcome, target = self.outcome, self.target
        where = f"[{target.host}]" if ":" in target.host else target.host
        host = where if target.port == 80 else f"{where}:{target.port}"
        lines = [
            f"GET {target.path} HTTP/1.1",
            f"Host: {host}",
            "User-Agent: netlab",
            "Accept: */*",
            "Connection: close",
        ]
        connection.send("\r\n".join([*lines, "", ""]).encode())
        head = b""
        while True:
            if not (yield Wait(connection, READ, self.timeout)):
                outcome.silent = True
                return
            data = connection.recv(_LONGEST_ANSWER)
            outcome.octets += len(data)
            head = (head + data)[:1024]
            if not data:
                break
        outcome.status = head.partition(b"\r\n")[0].decode(errors="replace")
        if outcome.octets:
            outcome.stage = "done"
        else:
            outcome.errno = errno.ECONNRESET

    def _datagram(self, connection: socket.socket) -> Waiting:
        outcome = self.outcome
        outcome.source = connection.getsockname()[0]
        connection.send(b"netlab\n")
        outcome.stage = "answer"
        if not (yield Wait(connection, READ, self.timeout)):
            outcome.silent = True
            return
        outcome.octets = len(connection.recv(_LONGEST_ANSWER))
        outcome.stage = "done"

    def _ping(self) -> Waiting:
        """Send one echo request (RFC 792, RFC 4443) and wait for its reply, or for an error about it."""
        outcome = self.outcome
        six = ":" in outcome.address
        family, protocol = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if six else (socket.AF_INET, socket.IPPROTO_ICMP)
        connection = self._open(family, socket.SOCK_RAW, protocol)
        connection.setsockopt(*_error_option(connection), 1)
        connection.connect((outcome.address, 0))
        outcome.source = connection.getsockname()[0]
        request = _echo(128 if six else 8, outcome.port, b"netlab journey".ljust(48, b"."))
        connection.send(request)
        outcome.stage = "answer"
        deadline = time.monotonic() + self.timeout
        while (remaining := deadline - time.monotonic()) > 0 and (yield Wait(connection, READ, remaining)):
            try:
                data = connection.recv(_LONGEST_ANSWER)
            except OSError:
                _clear_errors(connection)
                raise
            message = data if six else data[(data[0] & 15) * 4 :]
            kind, _, _, number = struct.unpack_from("!BBHH", message)
            if kind == (129 if six else 0) and number == outcome.port:
                outcome.octets, outcome.stage = len(message), "done"
                return
        outcome.silent = True


def _error_option(connection: socket.socket) -> tuple[int, int]:
    """Return the option that lets a socket hear of ICMP errors about what it sent."""
    if connection.family == socket.AF_INET6:
        return socket.IPPROTO_IPV6, _RECEIVE_ERRORS6
    return socket.IPPROTO_IP, _RECEIVE_ERRORS


def _clear_errors(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.recvmsg(1, 512, _ERROR_QUEUE)


def _echo(kind: int, number: int, content: bytes) -> bytes:
    """Return an echo request; for IPv6 the kernel fills in the checksum."""
    body = struct.pack("!BBHHH", kind, 0, 0, number, 1) + content
    total = sum(struct.unpack(f"!{len(body) // 2}H", body))
    total = (total & 0xFFFF) + (total >> 16)
    return body[:2] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + body[4:]
