"""How a lab begins: the hosts, and the internet beyond them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import Future
from errno import EADDRINUSE
from typing import Any

from netlab import ops
from netlab.errors import RequestError, SandboxError
from netlab.language import say
from netlab.model import PlaceKind
from netlab.places import internet as outside
from netlab.sandbox.client import AgentRefusal, Answer
from netlab.world import World

_START_SECONDS = 30

RESOLVERS = (outside.DNS_ADDRESS,)
RESOLV_CONF = "".join(f"nameserver {address}\n" for address in RESOLVERS)


def host_names(count: int) -> list[str]:
    """Return the names of a lab's hosts: host, host2, …"""
    return ["host" if number == 1 else f"host{number}" for number in range(1, count + 1)]


def found(world: World, hosts: Sequence[str]) -> None:
    """Start the first process of every host and of every machine outside, all at once; raises SandboxError."""
    names = known_names(hosts)
    asked: list[tuple[str, PlaceKind, str, Future[Answer]]] = []
    for host in hosts:
        files = {"hosts": hosts_file(host, names[f"{host}.example.net"]), "resolv.conf": RESOLV_CONF}
        title = f"{host}: idle (netlab)"
        future = world.begin(host, {"kind": "idle"}, hostname=host, files=files, title=title, is_host=True)
        asked.append((host, "host", "", future))
    for one in outside.outsiders(_name_server(names)):
        files = {"hosts": hosts_file(one.name, one.address), "resolv.conf": RESOLV_CONF}
        future = world.begin(one.name, one.role, hostname=one.name, files=files, title=one.title)
        asked.append((one.name, one.kind, one.label, future))
    for name, kind, label, future in asked:
        world.finish(name, wait(future), kind, label=label)


def wait(future: Future[Answer]) -> Answer:
    """Return the answer to a request for a node; raises SandboxError when the machine refused it, or its port is taken."""
    try:
        return future.result(_START_SECONDS)
    except TimeoutError:
        raise SandboxError(
            say(
                en=f"The sandbox did not answer within {_START_SECONDS} s. Try again.",
                ja=f"サンドボックスが {_START_SECONDS} 秒以内に応答しませんでした。もう一度試してください。",
            )
        ) from None
    except AgentRefusal as error:
        if error.errno == EADDRINUSE:
            raise RequestError(
                say(
                    en="Its server cannot start: the port that it listens on is in use already. A container with "
                    'network="host" shares the ports of the host. See who has it: ss -ltnp',
                    ja='サーバーを起動できません。待ち受けるポートがすでに使われています。network="host" のコンテナは、'
                    "ホストとポートを共有します。使っているプロセスを調べるには: ss -ltnp",
                )
            ) from None
        raise SandboxError(
            say(
                en=f"A new namespace was refused ({error.strerror or 'no reason given'}: {error.filename}). "
                "`netlab doctor` shows what this machine allows.",
                ja=f"新しい名前空間を作れませんでした ({error.strerror or '理由は不明'}: {error.filename})。"
                "このマシンで何が許可されているかは `netlab doctor` で分かります。",
            )
        ) from None


def operations(hosts: Sequence[str]) -> list[ops.Operation]:
    """Return what wires up the internet and the hosts."""
    names = known_names(hosts)
    wiring = outside.router_operations()
    for host in hosts:
        wiring += outside.plug_in(host, names[f"{host}.example.net"], "lan", outside.ROUTER_LAN)
    for one in outside.outsiders({}):
        if one.address and one.bridge and one.gateway:
            wiring += outside.plug_in(one.name, one.address, one.bridge, one.gateway)
    return wiring


def hosts_file(name: str, address: str | None) -> str:
    """Return the text of /etc/hosts, laid out as Docker's."""
    own = f"{address}\t{name}\n" if address else ""
    return (
        "127.0.0.1\tlocalhost\n"
        "::1\tlocalhost ip6-localhost ip6-loopback\n"
        "fe00::\tip6-localnet\n"
        "ff00::\tip6-mcastprefix\n"
        "ff02::1\tip6-allnodes\n"
        "ff02::2\tip6-allrouters\n" + own
    )


def known_names(hosts: Sequence[str]) -> dict[str, str]:
    """Return the names that the internet's name server knows."""
    known = {
        outside.SITE_NAME: outside.SITE_ADDRESS,
        "example.com": outside.SITE_ADDRESS,
        "dns.example.net": outside.DNS_ADDRESS,
        "router.example.net": outside.ROUTER_LAN,
        "client.example.net": outside.CLIENT_ADDRESS,
    }
    for number, host in enumerate(hosts):
        known[f"{host}.example.net"] = outside.HOST_ADDRESS.format(outside.FIRST_HOST + number)
    return known


def _name_server(names: dict[str, str]) -> dict[str, Any]:
    """Return the role of the name server: a Python program of our own, with both its sockets bound beforehand.

    It finds its modules where this process does, however netlab was installed.
    """
    argv = [sys.executable, "-m", "netlab.servers.dns", json.dumps(names)]
    return {
        "kind": "program",
        "argv": argv,
        "environment": {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        "listen": [["udp", "0.0.0.0", 53], ["tcp", "0.0.0.0", 53]],
    }
