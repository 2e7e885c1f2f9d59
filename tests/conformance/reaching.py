"""Who reaches whom, by what means, and what it looks like at the other end."""

from __future__ import annotations

from scenario import Today, rows
from world import HOST, OUTSIDE, World


@rows("IS-01", "IS-02", "IS-03", "IS-04", "IS-06", "IS-09", "IS-10", "IS-13", "IS-14", "BR-34")
def bridges(world: World) -> dict:
    world.must("network create --subnet 10.71.0.0/24 n1")
    world.must("network create --subnet 10.72.0.0/24 n2")
    world.must("network create --internal --subnet 10.73.0.0/24 in")
    world.idle("srv", options="--network n1 -p 8081:8000")
    world.idle("near", options="--network n1")
    world.idle("far", options="--network n2")
    world.idle("old", "older")
    world.idle("shut", options="--network in")
    for place, port in (("srv", 8000), ("srv", 8001), ("old", 8000), ("shut", 8000), ("host", 8000), ("outside", 8000)):
        world.serve(place, port)
    old = world.address("old")
    hops = world.inside("near", f"traceroute -n -q 1 -w 1 -m 4 {OUTSIDE}").stdout.splitlines()[1:]
    ttl = world.inside("near", f"ping -n -c 1 -W 1 {OUTSIDE}").stdout.partition("ttl=")[2].split()
    return {
        "IS-01": [world.who("near", "10.71.0.2:8001"), world.ping("near", "10.71.0.2")],
        "IS-02": [world.ping("far", "10.71.0.2"), world.web_reach("far", "10.71.0.2:8001")],
        "IS-03": world.web_reach("far", "10.71.0.2:8000"),
        "IS-04": [
            world.web_reach("near", f"{old}:8000"),
            world.web_reach("old", "10.71.0.2:8000"),
            world.ping("old", "10.71.0.2"),
        ],
        "IS-06": [world.who("far", f"{address}:8081") for address in ("10.72.0.1", HOST, "10.71.0.1")],
        "IS-09": [world.who("near", f"{address}:8000") for address in ("10.71.0.1", "10.72.0.1", "172.17.0.1", HOST)],
        "IS-10": [world.who("host", f"{address}:8000") for address in ("10.71.0.2", old, "10.73.0.2")],
        "IS-13": [world.who("near", f"{OUTSIDE}:8000"), ttl[:1]],
        "IS-14": [line.split()[1] for line in hops],
        "BR-34": [world.who("older", f"{old}:8000"), world.ping("older", old)],
    }


@rows("IS-21", "PM-02", "UD-47")
def rules(world: World) -> dict:
    world.must("network create --subnet 10.71.0.0/24 n1")
    world.must("network create --internal --subnet 10.73.0.0/24 in")
    world.web("aa", "--network n1 -p 8080:80")
    names = {world.bridge("n1"): "<n1>", world.bridge("in"): "<in>"}

    def said(table: str) -> list[str]:
        lines = " \n".join(world.iptables(table))
        for bridge, name in names.items():
            lines = lines.replace(bridge, name)
        return lines.split(" \n")

    nat = said("nat")
    internal = [line.partition("!")[2] for line in said("filter") if "10.73.0.0/24" in line]
    sockets = world.host("ss -Hltn 'sport = :8080'").stdout.splitlines()
    return {
        "IS-21": sorted(line for line in nat if "LOCAL" in line or "! -o" in line),
        "PM-02": [[line for line in nat if "--dport 8080" in line], len(sockets)],
        "UD-47": [sorted(internal), [line for line in nat if "10.73." in line]],
    }


@rows("IS-05", "IS-08", "IS-11")
def from_where_it_should_not(world: World) -> dict:
    world.must("network create --internal --subnet 10.73.0.0/24 in")
    world.must("network create --internal --subnet 10.74.0.0/24 in2")
    world.must("network create --subnet 10.71.0.0/24 n1")
    world.idle("shut", options="--network in")
    world.idle("other", options="--network in2")
    world.idle("srv", options="--network n1 -p 8081:8000")
    world.serve("srv", 8000)
    world.outside(f"ip route add 10.71.0.0/24 via {HOST}")
    direct = world.web_reach("outside", "10.71.0.2:8000")
    world.outside(f"ip route delete 10.71.0.0/24 via {HOST}")
    return {
        "IS-05": Today(world.ping("shut", "10.74.0.2"), "unreachable"),
        "IS-08": world.web_reach("shut", "10.73.0.1:8081"),
        "IS-11": Today(direct, "timeout"),
    }


@rows("IS-25", "IS-26", "IS-27", "IS-28", "IS-12")
def filters(world: World) -> dict:
    world.must("network create --subnet 10.71.0.0/24 n1")
    world.must("network create --subnet 10.72.0.0/24 -o com.docker.network.bridge.enable_icc=false quiet")
    world.idle("srv", options="--network n1 -p 8080:8000")
    world.idle("q1", options="--network quiet -p 8082:8000")
    world.idle("q2", options="--network quiet")
    for place in ("srv", "q1"):
        world.serve(place, 8000)
        world.serve(place, 8001)

    def with_rule(chain: str, port: int) -> list[str]:
        added = world.host(f"iptables -I {chain} -p tcp --dport {port} -j DROP").status
        reached = [
            world.web_reach(place, url) for place, url in (("outside", f"{HOST}:8080"), ("host", "127.0.0.1:8080"))
        ]
        world.host(f"iptables -D {chain} -p tcp --dport {port} -j DROP")
        return [added, *reached]

    first = world.host("iptables -S FORWARD").stdout
    world.outside(f"ip route add 10.71.0.0/24 via {HOST}")
    direct = [world.web_reach("outside", "10.71.0.2:8001"), world.ping("outside", "10.71.0.2")]
    world.outside(f"ip route delete 10.71.0.0/24 via {HOST}")
    return {
        "IS-25": [line for line in first.splitlines() if line.startswith("-A")][:1],
        "IS-26": [with_rule("DOCKER-USER", 8080)[:2], with_rule("DOCKER-USER", 8000)[:2]],
        "IS-27": with_rule("INPUT", 8080),
        "IS-28": [
            world.ping("q2", "10.72.0.2"), world.web_reach("q2", "10.72.0.2:8000"), world.dig("q2", "q1"),
            world.web_reach("q2", "10.72.0.1:8082"),
        ],
        "IS-12": direct,
    }  # fmt: skip
