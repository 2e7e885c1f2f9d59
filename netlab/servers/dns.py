"""The name server of the lab's internet.

It is started by its node at the first query, with its sockets already bound (see `sandbox.roles`): UDP is descriptor 3,
TCP descriptor 4. Names come as JSON in the first argument: {"www.example.com": "198.51.100.80", …}.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.reversename
import dns.rrset

_TTL = 300  # seconds
_LARGEST_UDP = 4096  # bytes


class Zone:
    """What the server knows: addresses by name, and names by address."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self._records: dict[dns.name.Name, list[tuple[str, str]]] = {}
        for name, address in addresses.items():
            kind = "AAAA" if ":" in address else "A"
            self._records.setdefault(dns.name.from_text(name), []).append((kind, address))
            reverse = dns.reversename.from_address(address)
            self._records.setdefault(reverse, [("PTR", name.rstrip(".") + ".")])

    def answer(self, wire: bytes) -> bytes | None:
        """Return the reply to a query, or None when it cannot be read at all."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return _refuse_malformed(wire)
        reply = dns.message.make_response(query, recursion_available=True)
        reply.flags |= dns.flags.AA
        if len(query.question) != 1:
            reply.set_rcode(dns.rcode.FORMERR)
            return reply.to_wire()
        question = query.question[0]
        records = self._records.get(question.name)
        if records is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        wanted = dns.rdatatype.to_text(question.rdtype)
        for kind, text in records or ():
            if wanted in (kind, "ANY"):
                reply.answer.append(dns.rrset.from_text(question.name, _TTL, "IN", kind, text))
        return reply.to_wire()


def _refuse_malformed(wire: bytes) -> bytes | None:
    if len(wire) < 2:
        return None
    reply = dns.message.Message(id=struct.unpack_from("!H", wire)[0])
    reply.flags |= dns.flags.QR
    reply.set_rcode(dns.rcode.FORMERR)
    return reply.to_wire()


def _serve_udp(zone: Zone, listener: socket.socket) -> None:
    while True:
        wire, sender = listener.recvfrom(_LARGEST_UDP)
        reply = zone.answer(wire)
        if reply is not None:
            listener.sendto(reply, sender)


def _serve_tcp(zone: Zone, listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_converse, args=(zone, connection), daemon=True).start()


def _converse(zone: Zone, connection: socket.socket) -> None:
    """Answer queries over one TCP connection, each with its length before it (RFC 1035, 4.2.2)."""
    with connection, connection.makefile("rb") as stream:
        connection.settimeout(10)
        try:
            while len(head := stream.read(2)) == 2:
                reply = zone.answer(stream.read(struct.unpack("!H", head)[0]))
                if reply is None:
                    return
                connection.sendall(struct.pack("!H", len(reply)) + reply)
        except OSError:
            return  # the other side went away


def main() -> None:
    """Serve the names given on the command line until the process is stopped."""
    zone = Zone(json.loads(sys.argv[1]))
    udp, tcp = socket.socket(fileno=3), socket.socket(fileno=4)
    threading.Thread(target=_serve_tcp, args=(zone, tcp), daemon=True).start()
    _serve_udp(zone, udp)


if __name__ == "__main__":
    main()
