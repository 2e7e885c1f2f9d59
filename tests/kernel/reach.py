"""Who reaches whom under the rules of netlab.drivers.rules: a host with four networks, built by hand, and what it answers.

To be run in user, network and mount namespaces of its own (see test_reach.py); prints a JSON object of answers: the
address that the server saw, "proxy" for what listens on the host's published ports, or how the attempt failed.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from netlab.drivers.port_rules import PortRules, ports_published
from netlab.drivers.rules import BridgeRules, host_made, network_made

LIBC = ctypes.CDLL(None, use_errno=True)
NETWORKS = [
    BridgeRules("br-a", "172.18.0.0/16", "172.18.0.1"),
    BridgeRules("br-a", "fd00:a::/64", "fd00:a::1"),
    BridgeRules("br-b", "172.19.0.0/16", "172.19.0.1"),
    BridgeRules("br-int", "172.20.0.0/16", "172.20.0.1", internal=True),
    BridgeRules("br-no", "172.21.0.0/16", "172.21.0.1", icc=False),
]
CONTAINERS = {
    "a1": ("br-a", "172.18.0.2"),
    "a2": ("br-a", "172.18.0.3"),
    "b1": ("br-b", "172.19.0.2"),
    "i1": ("br-int", "172.20.0.2"),
    "i2": ("br-int", "172.20.0.3"),
    "n1": ("br-no", "172.21.0.2"),
    "n2": ("br-no", "172.21.0.3"),
}
PORTS = [PortRules("0.0.0.0", 8080, 80), PortRules("127.0.0.1", 8081, 80), PortRules("::", 8080, 80)]
PUBLISHED = [
    ports_published("br-a", "172.18.0.2", PORTS),
    ports_published("br-a", "fd00:a::2", PORTS),
    ports_published("br-no", "172.21.0.2", [PortRules("192.0.2.10", 8082, 80)]),
]


def run(text: str, *argv: str) -> str:
    done = subprocess.run(argv, input=text, text=True, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"{argv}: {done.stderr}\n{text}")
    return done.stdout


def build() -> None:
    """Make the host, the internet beyond it, and the containers."""
    run("", "mount", "-t", "tmpfs", "tmpfs", "/run")
    Path("/run/netns").mkdir()
    lines = ["netns add out", "link add eth0 type veth peer name up0 netns out", "link set lo up", "link set eth0 up"]
    lines += ["address add 192.0.2.10/24 dev eth0", "address add 2001:db8::10/64 dev eth0 nodad"]
    for network in NETWORKS:
        if network.family == "ip":
            lines += [f"link add {network.bridge} up type bridge"]
        nodad = " nodad" if network.family == "ip6" else ""
        length = network.subnet.partition("/")[2]
        lines.append(f"address add {network.gateway}/{length} dev {network.bridge}{nodad}")
    for name, (bridge, _) in CONTAINERS.items():
        lines += [f"netns add {name}", f"link add v{name} master {bridge} up type veth peer name eth0 netns {name}"]
    Path("/proc/sys/net/ipv6/conf/default/accept_dad").write_text(
        "0"
    )  # or a link-local address is of no use for a second
    run("\n".join(lines), "ip", "-batch", "-")
    inside = [
        "link set lo up",
        "link set up0 addrgenmode none up",
        "address add 192.0.2.1/24 dev up0",
        "address add 2001:db8::1/64 dev up0 nodad",
    ]
    inside += ["route add 172.16.0.0/12 via 192.0.2.10", "route add fd00:a::/64 via 2001:db8::10"]
    run("\n".join(inside), "ip", "-n", "out", "-batch", "-")
    for name, (bridge, address) in CONTAINERS.items():
        gateway = next(one.gateway for one in NETWORKS if one.bridge == bridge)
        inside = [
            "link set lo up",
            "link set eth0 addrgenmode none up",
            f"address add {address}/16 dev eth0",
            f"route add default via {gateway}",
        ]
        if bridge == "br-a":
            inside += [f"address add fd00:a::{address[-1]}/64 dev eth0 nodad", "route add default via fd00:a::1"]
        run("\n".join(inside), "ip", "-n", name, "-batch", "-")
    for key in ("ipv4/ip_forward", "ipv6/conf/all/forwarding", "bridge/bridge-nf-call-iptables"):
        Path("/proc/sys/net", key).write_text("1")


def socket_in(place: str, family: int) -> socket.socket:
    """Return a socket of a namespace; it stays there whatever this thread does next."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = here if place == "host" else os.open(f"/run/netns/{place}", os.O_RDONLY)
    LIBC.setns(there, 0)
    try:
        return socket.socket(family)
    finally:
        LIBC.setns(here, 0)
        for descriptor in {here, there}:
            os.close(descriptor)


def serve(place: str, port: int, answer: str = "", family: int = socket.AF_INET) -> None:
    """Tell everybody who connects the address it comes from."""
    listener = socket_in(place, family)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind(("", port))
    listener.listen()

    def loop() -> None:
        while True:
            peer, address = listener.accept()
            with peer:
                peer.sendall((answer or address[0]).encode())

    threading.Thread(target=loop, daemon=True).start()


def ask(place: str, address: str, port: int) -> str:
    """Connect, and return the answer."""
    with socket_in(place, socket.AF_INET6 if ":" in address else socket.AF_INET) as client:
        client.settimeout(0.6)
        try:
            client.connect((address, port))
            return client.recv(100).decode()
        except TimeoutError:
            return "timeout"
        except OSError as error:
            return os.strerror(error.errno or 0)


def ask_all() -> dict[str, str]:
    host = ["192.0.2.10", "172.18.0.1", "172.19.0.1"]
    questions = [("a2", "172.18.0.2", 80), ("b1", "172.18.0.2", 80), ("b1", "172.18.0.3", 80), ("a2", "172.19.0.2", 80)]
    questions += [("b1", address, 8080) for address in host] + [("a2", address, 9000) for address in host]
    questions += [
        ("host", "172.18.0.2", 80),
        ("host", "172.18.0.3", 80),
        ("host", "172.20.0.2", 80),
        ("host", "172.21.0.3", 80),
    ]
    questions += [
        ("out", "172.18.0.2", 80),
        ("out", "172.18.0.3", 80),
        ("out", "172.18.0.1", 9000),
        ("out", "172.20.0.2", 80),
    ]
    questions += [
        ("a2", "192.0.2.1", 80),
        ("out", "192.0.2.10", 8080),
        ("out", "192.0.2.10", 8081),
        ("out", "192.0.2.10", 8082),
    ]
    questions += [("host", "192.0.2.10", 8080), ("host", "172.18.0.1", 8080), ("host", "127.0.0.1", 8080)]
    questions += [("host", "127.0.0.1", 8081), ("a1", "192.0.2.10", 8080), ("a2", "192.0.2.10", 8080)]
    questions += [
        ("i1", "172.20.0.3", 80),
        ("i1", "172.20.0.1", 9000),
        ("i1", "192.0.2.1", 80),
        ("i1", "172.20.0.1", 8080),
    ]
    questions += [
        ("a2", "172.20.0.2", 80),
        ("n1", "172.21.0.3", 80),
        ("b1", "192.0.2.10", 8082),
        ("n2", "192.0.2.10", 8082),
    ]
    questions += [
        ("out", "2001:db8::10", 8080),
        ("out", "fd00:a::2", 80),
        ("a2", "fd00:a::2", 80),
        ("a2", "2001:db8::1", 80),
    ]
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda question: ask(*question), questions)
        return {" ".join(map(str, question)): answer for question, answer in zip(questions, answers, strict=True)}


def listing() -> str:
    return run("", "nft", "--stateless", "list", "ruleset")


def main() -> None:
    build()
    for place in (*CONTAINERS, "out"):
        serve(place, 80)
    for place in ("a1", "out"):
        serve(place, 80, family=socket.AF_INET6)
    serve("host", 9000)
    for port in (8080, 8082):
        serve("host", port, "proxy")
    said = {"no rules: out 172.18.0.2 80": ask("out", "172.18.0.2", 80)}
    said |= with_iptables() if sys.argv[1:] == ["iptables"] else with_nft()
    json.dump(said, sys.stdout, indent=1)


def with_nft() -> dict[str, str]:
    founding = [host_made("ip"), host_made("ip6")]
    changes = [*(network_made(network) for network in NETWORKS), *PUBLISHED]
    for change in founding:
        run(change.script, "nft", "-f", "-")
    empty = listing()
    for change in changes:
        run(change.script, "nft", "-f", "-")
    full = listing()
    said = ask_all()
    for port in (8080, 80):
        run(f"add rule ip docker-bridges DOCKER-USER tcp dport {port} drop", "nft", "-f", "-")
        said[f"DOCKER-USER drops {port}: out 192.0.2.10 8080"] = ask("out", "192.0.2.10", 8080)
    run("flush chain ip docker-bridges DOCKER-USER", "nft", "-f", "-")
    for change in reversed(changes):
        run(change.undo, "nft", "-f", "-")
    said["withdrawn"] = "as before" if listing() == empty else listing()
    for change in changes:
        run(change.inverse().undo, "nft", "-f", "-")
    said["published again"] = "as before" if listing() == full else listing()
    for change in founding:
        run(change.undo, "nft", "-f", "-")
    said["removed"] = listing()
    return said


def with_iptables() -> dict[str, str]:
    """Do the same by the equivalent lines alone, in the order in which they stand on a real engine: open ports first."""
    for tool in ("iptables", "ip6tables"):
        for chain in ("USER", "FORWARD", "CT", "INTERNAL", "BRIDGE"):
            run("", tool, "-N", f"DOCKER-{chain}")
        for table in ("filter", "nat"):
            run("", tool, "-t", table, "-N", "DOCKER")
    rules = [*host_made("ip").rules, *host_made("ip6").rules]
    for change in [*PUBLISHED, *(network_made(network) for network in NETWORKS)]:
        rules += change.rules
    lines = list(dict.fromkeys(line for rule in rules for line in rule.iptables_line.splitlines()))
    for line in lines:
        run("", *line.split())
    shown = {
        " ".join([tool, *table, line])
        for tool in ("iptables", "ip6tables")
        for table in ((), ("-t", "nat"), ("-t", "raw"))
        for line in run("", tool, *table, "-S").splitlines()
    }
    return ask_all() | {"lines that iptables writes in another way": " | ".join(sorted(set(lines) - shown))}


if __name__ == "__main__":
    main()
