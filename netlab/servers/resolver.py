"""Docker's internal name server, 127.0.0.11: one process for all containers of a host.

It runs on the host, as the engine's does. For each container it is handed the network namespace, and opens its sockets in
there: so nothing in the container listens on port 53, and what is not a container's name is asked further up from the
container's own namespace, by the container's own way. The lab says what names mean by messages on descriptor 0 (see
`sandbox.wire`), and gets an answer to each.
"""

from __future__ import annotations

import os
import random
import selectors
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from netlab.dns import ADDRESS, TTL, Member, NetworkNames, resolve
from netlab.sandbox.syscalls import CLONE_NEWNET, setns
from netlab.sandbox.wire import receive, send

_LARGEST = 65535  # bytes
_UPSTREAM_SECONDS = 4.0  # that a server further up gets
_MOST_UPSTREAMS = 3
_LOG_LENGTH = 1000
_MOST_ENTRIES = 400  # of the log in one message
_CACHE_LENGTH = 4096

Reply = Callable[[bytes], None]


@dataclass
class Client:
    """One container: the networks that it asks, in order, whom to ask further up, and its sockets."""

    name: str
    networks: list[str]
    upstreams: list[str]
    aliases: dict[str, str]
    forward_single_labels: bool
    namespace: int
    udp: socket.socket
    tcp: socket.socket
    # Replies without their id, and what the log says of them, by question without its id.
    answers: dict[bytes, tuple[bytes, dict[str, Any]]] = field(default_factory=dict)

    def close(self) -> None:
        """Let go of the container's namespace."""
        self.udp.close()
        self.tcp.close()
        os.close(self.namespace)


class Resolver:
    """Serves all containers. One thread answers; asking further up is done in threads of their own."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.selector = selectors.DefaultSelector()
        self.network_names: dict[str, str] = {}
        self.members: dict[str, dict[str, Member]] = {}  # by network, then by container
        self.networks: dict[str, NetworkNames] = {}  # made of the two above at the first question after a change
        self.clients: dict[str, Client] = {}
        self.log: deque[dict[str, Any]] = deque(maxlen=_LOG_LENGTH)
        self.logged = 0
        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.verbs: dict[str, Callable[[dict[str, Any], list[int]], dict[str, Any]]] = {
            "network": self.learn_network,
            "no network": self.forget_network,
            "member": self.learn_member,
            "no member": self.forget_member,
            "client": self.admit,
            "no client": self.dismiss,
            "log": self.tell_log,
        }
        self.selector.register(control, selectors.EVENT_READ, self.obey)

    def serve(self) -> None:
        """Serve until the lab is gone."""
        while True:
            for key, _ in self.selector.select():
                key.data()

    # ── what the lab says ──────────────────────────────────────────────────────────────────────────────────────────

    def obey(self) -> None:
        """Do what one message of the lab says, and answer it."""
        message, descriptors, _ = receive(self.control)
        if message is None:
            sys.exit(0)
        if message["verb"] != "log":
            self.networks.clear()
            for client in self.clients.values():
                client.answers.clear()
        number = message.pop("number")
        try:
            answer = self.verbs[message.pop("verb")](message, descriptors)
        except OSError as error:
            answer = {"error": str(error)}
        send(self.control, {"number": number, **answer})

    def learn_network(self, message: dict[str, Any], _: list[int]) -> dict[str, Any]:
        """Know a network from now on."""
        self.network_names[message["id"]] = message["name"]
        self.members.setdefault(message["id"], {})
        return {}

    def forget_network(self, message: dict[str, Any], _: list[int]) -> dict[str, Any]:
        """Know a network no more."""
        self.network_names.pop(message["id"], None)
        self.members.pop(message["id"], None)
        return {}

    def learn_member(self, message: dict[str, Any], _: list[int]) -> dict[str, Any]:
        """Know a container on a network from now on."""
        member = Member(tuple(message["names"]), tuple(message["addresses"]))
        self.members.setdefault(message["id"], {})[message["container"]] = member
        return {}

    def forget_member(self, message: dict[str, Any], _: list[int]) -> dict[str, Any]:
        """Know a container on a network no more."""
        self.members.get(message["id"], {}).pop(message["container"], None)
        return {}

    def names_of(self, network: str) -> NetworkNames | None:
        """Return the names of a network, put together anew if something has changed."""
        if network not in self.networks and network in self.network_names:
            members = tuple(self.members[network].values())
            self.networks[network] = NetworkNames(self.network_names[network], members)
        return self.networks.get(network)

    def admit(self, message: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        """Serve a container whose namespace is given; without one, change what is known of it. Answer with its ports."""
        known = self.clients.get(message["name"])
        if descriptors:
            self.dismiss(message, [])
            namespace = descriptors[0]
            setns(namespace, CLONE_NEWNET)
            try:
                udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                udp.bind((ADDRESS, 0))
                tcp = socket.create_server((ADDRESS, 0))
            finally:
                setns(self.home, CLONE_NEWNET)
            known = self.clients[message["name"]] = self._listen(
                Client(**message, namespace=namespace, udp=udp, tcp=tcp)
            )
        elif known is not None:
            for key, value in message.items():
                setattr(known, key, value)
        if known is None:
            return {"error": f"{message['name']} is not served"}
        return {"udp": known.udp.getsockname()[1], "tcp": known.tcp.getsockname()[1]}

    def _listen(self, client: Client) -> Client:
        for one, hear in ((client.udp, self.hear_udp), (client.tcp, self.hear_tcp)):
            one.setblocking(False)
            self.selector.register(one, selectors.EVENT_READ, partial(hear, client))
        return client

    def dismiss(self, message: dict[str, Any], _: list[int]) -> dict[str, Any]:
        """Serve a container no more."""
        client = self.clients.pop(message["name"], None)
        if client is not None:
            self.selector.unregister(client.udp)
            self.selector.unregister(client.tcp)
            client.close()
        return {}

    def tell_log(self, message: dict[str, Any], _: list[int]) -> dict[str, Any]:
        """Tell the questions since the one with a number, and how many there have been."""
        missing = max(0, self.logged - int(message["since"]))
        entries = list(self.log)[-missing:] if missing else []
        return {"logged": self.logged, "entries": entries[-_MOST_ENTRIES:]}

    # ── questions ──────────────────────────────────────────────────────────────────────────────────────────────────

    def hear_udp(self, client: Client) -> None:
        """Answer a question that waits on a container's UDP socket; the selector tells of the next."""
        try:
            wire, sender = client.udp.recvfrom(_LARGEST)
        except OSError:
            return
        self.answer(client, wire, partial(_send_udp, client.udp, sender), "udp")

    def hear_tcp(self, client: Client) -> None:
        """Take a connection and converse on it in a thread of its own."""
        try:
            connection, _ = client.tcp.accept()
        except OSError:
            return
        threading.Thread(target=self.converse, args=(client, connection), daemon=True).start()

    def converse(self, client: Client, connection: socket.socket) -> None:
        """Answer the questions of one TCP connection, each with its length before it (RFC 1035, 4.2.2)."""
        connection.settimeout(10)
        with connection, connection.makefile("rb") as stream:
            try:
                while len(head := stream.read(2)) == 2:
                    wire = stream.read(struct.unpack("!H", head)[0])
                    self.answer(client, wire, lambda reply: connection.sendall(_with_length(reply)), "tcp")
            except OSError:
                return  # the other side went away

    def answer(self, client: Client, wire: bytes, reply: Reply, protocol: str) -> None:
        """Answer a question from memory, from the networks' names, or by asking further up."""
        known = client.answers.get(wire[2:])
        if known is not None:
            self.remember({**known[1], "time": time.time(), "protocol": protocol})
            reply(wire[:2] + known[0])
            return
        try:
            query = dns.message.from_wire(wire)
            question = query.question[0]
        except (dns.exception.DNSException, IndexError):
            return  # junk must not hurt
        name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
        networks = [names for one in client.networks if (names := self.names_of(one))]
        found = resolve(networks, name, kind, client.aliases, forward_single_labels=client.forward_single_labels)
        entry = {
            "time": time.time(),
            "container": client.name,
            "name": name,
            "kind": kind,
            "protocol": protocol,
            "outcome": found.outcome,
            "records": list(found.records),
        }
        self.remember(entry)
        if found.outcome == "forward":
            self.forward(client, query, wire, reply, protocol)
            return
        made = _response(query, kind, list(found.records))
        if len(found.records) <= 1 and len(client.answers) < _CACHE_LENGTH:
            client.answers[wire[2:]] = made[2:], entry
        reply(made)

    def remember(self, entry: dict[str, Any]) -> None:
        """Write a question into the log."""
        self.logged += 1
        self.log.append(entry)

    def forward(self, client: Client, query: dns.message.Message, wire: bytes, reply: Reply, protocol: str) -> None:
        """Ask the servers further up, one after the other, from the container's namespace; SERVFAIL if none answers."""
        namespace, upstreams = os.dup(client.namespace), client.upstreams[:_MOST_UPSTREAMS]

        def ask() -> None:
            try:
                setns(namespace, CLONE_NEWNET)
            finally:
                os.close(namespace)
            answers = (_ask_upstream(one, wire, protocol) for one in upstreams if one != ADDRESS)
            reply(next((one for one in answers if one is not None), None) or _failure(query))

        if protocol == "udp":
            threading.Thread(target=ask, daemon=True).start()
            return
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join()


def _send_udp(listener: socket.socket, to: Any, reply: bytes) -> None:
    try:
        listener.sendto(reply, to)
    except OSError:
        return  # the container went, or does not read


def _with_length(message: bytes) -> bytes:
    return struct.pack("!H", len(message)) + message


def _response(query: dns.message.Message, kind: str, records: list[str]) -> bytes:
    random.shuffle(records)
    response = dns.message.make_response(query, recursion_available=True)
    if records:
        response.answer.append(dns.rrset.from_text_list(query.question[0].name, TTL, "IN", kind, records))
    return response.to_wire()


def _failure(query: dns.message.Message) -> bytes:
    response = dns.message.make_response(query, recursion_available=True)
    response.set_rcode(dns.rcode.SERVFAIL)
    return response.to_wire()


def _ask_upstream(server: str, wire: bytes, protocol: str) -> bytes | None:
    """Return a server's answer to a question by the same protocol, or None when it gives none in time."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    try:
        with socket.socket(family, kind) as asking:
            asking.settimeout(_UPSTREAM_SECONDS)
            asking.connect((server, 53))
            asking.sendall(wire if protocol == "udp" else _with_length(wire))
            if protocol == "udp":
                return asking.recv(_LARGEST)
            with asking.makefile("rb") as stream:
                return stream.read(struct.unpack("!H", stream.read(2))[0])
    except (OSError, struct.error):
        return None


def main() -> None:
    """Serve until the lab is gone."""
    Resolver(socket.socket(fileno=os.dup(0))).serve()


if __name__ == "__main__":
    main()
