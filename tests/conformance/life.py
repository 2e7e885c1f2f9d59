"""Other drivers, names and errors, the life of networks and containers, IPv6."""

from __future__ import annotations

import json
import re

from scenario import Today, rows
from world import HOST, World


@rows("DR-01", "DR-02", "DR-04", "DR-05", "DR-07", "DR-08", "DR-09", "DR-10", "DR-11", "DR-12", "DR-14")
def modes(world: World) -> dict:
    world.must("network create --subnet 10.71.0.0/24 n1")
    world.must("network create --subnet 10.72.0.0/24 n2")
    world.idle("aa", options="--network none")
    lo = world.inside("aa", "ip -br link").stdout.split()[:2]
    alone = [lo, world.addresses("aa"), world.routes("aa")]
    pings = [world.ping("aa", "127.0.0.1"), world.ping("aa", "8.8.8.8")]
    private = world.docker("network connect n1 aa").refusal
    world.must("network disconnect none aa")
    world.must("network connect n1 aa")
    world.idle("bb", options="--network host")
    hosted = [world.addresses("bb")["eth0"], world.must("exec bb hostname") == world.host("hostname").stdout.strip()]
    shown = world.must(
        "inspect -f '{{.NetworkSettings.Networks.host.IPAddress}}|{{.NetworkSettings.Networks.host.Gateway}}' bb"
    )
    joins = world.docker("network connect n1 bb")
    leaves = world.docker("network disconnect host bb")
    world.idle("cc", options="--network n1 --hostname shown")
    world.serve("cc", 8000)
    world.idle("dd", options="--network container:cc")
    shared = [
        world.addresses("dd") == world.addresses("cc"), world.must("exec dd hostname"), world.who("dd", "127.0.0.1:8000"),
        world.file("dd", "/etc/hosts") == world.file("cc", "/etc/hosts"),
    ]  # fmt: skip
    conflicts = [
        world.docker(f"run -d --name ee --network container:cc {option} myapp").words
        for option in ("--hostname xx", "--dns 9.9.9.9", "--add-host xx:1.2.3.4", "--expose 80")
    ]
    world.must("network connect n2 cc")
    grown = [sorted(world.addresses("dd")), world.docker("network connect n2 dd").status]
    return {
        "DR-01": alone,
        "DR-02": pings,
        "DR-04": [private, sorted(world.addresses("aa"))],
        "DR-05": hosted,
        "DR-07": shown,
        "DR-08": [joins.status, leaves.status],
        "DR-09": world.docker("run -d --name ff --network host --mac-address 02:00:00:00:00:01 myapp").refusal,
        "DR-10": [world.docker(f"network create -d {kind} other").refusal for kind in ("host", "null")],
        "DR-11": shared,
        "DR-12": conflicts,
        "DR-14": grown,
    }


@rows("DR-15")
def without_the_other(world: World) -> dict:
    world.idle("cc")
    world.idle("dd", options="--network container:cc")
    world.must("stop -t 0 cc")
    left = world.docker("inspect -f '{{.State.Status}}' dd").stdout.strip()
    links = world.docker("exec dd ip -o link")
    names = re.findall(r"^\d+: (\w+)", links.stdout, re.MULTILINE)
    return {"DR-15": [left, links.status, names, world.docker("restart -t 0 dd").status]}


@rows("LC-05", "LC-07", "LC-08", "LC-09", "LC-10", "LC-11", "LC-12", "LC-13", "LC-14", "LC-15", "LC-16")
def life_of_networks(world: World) -> dict:
    for number, name in enumerate(("n1", "n2", "n3", "n4", "n5"), 1):
        world.must(f"network create --subnet 10.7{number}.0.0/24 {name}")
    world.idle("aa", options="--network n1")
    used = world.docker("network rm n1")
    removed = world.docker("network rm n2 nosuch n3")
    world.must("network prune -f")
    left = sorted(world.must("network ls --format '{{.Name}}'").split())
    overlaps = [
        world.docker(f"network create --subnet {subnet} over").words.rpartition(": ")[2]
        for subnet in ("10.71.0.0/24", "10.71.0.0/16", "10.71.0.128/25")
    ]
    twice = world.docker("network create n1").refusal
    world.must("stop -t 0 aa")
    gone = world.docker("network rm n1").status
    lost = world.docker("start aa")
    world.must("network create --subnet 10.71.0.0/24 n1")
    still = world.docker("start aa")
    world.must("network disconnect -f n1 aa")
    world.must("network connect n1 aa")
    repaired = world.docker("start aa").status
    unknown = world.docker("run -d --name zz --network nosuch myapp")
    waiting = world.must("ps -a --filter name=zz --format '{{.Names}} {{.Status}} {{.Networks}}'")
    inspected = world.docker("network inspect nosuch")
    world.must("network create --subnet 10.78.0.0/24 nosuch")
    found = [world.docker("start zz").status, world.addresses("zz").get("eth0")]
    return {
        "LC-05": [used.status, "has active endpoints" in used.words],
        "LC-07": [gone, lost.status, "not found" in lost.words],
        "LC-08": [still.status, repaired, world.addresses("aa").get("eth0")],
        "LC-09": [removed.status, sorted(removed.stdout.split())],
        "LC-10": left,
        "LC-11": twice,
        "LC-12": overlaps,
        "LC-13": [world.docker(f"network create {name}").status for name in ("bridge", "host", "none", "default")],
        "LC-14": [world.docker(f"network rm {name}").refusal for name in ("bridge", "host", "none")],
        "LC-15": [inspected.status, inspected.stdout.strip()],
        "LC-16": [unknown.status, "nosuch" in unknown.words, "not found" in unknown.words, waiting, found],
    }


@rows("LC-18", "LC-19", "LC-23", "LC-25", "LC-26", "LC-27", "LC-28", "LC-29", "LC-33", "LC-17")
def names_and_errors(world: World) -> dict:
    world.must("network create --subnet 10.71.0.0/24 --label kk=vv n1")
    world.idle("aa", options="--network n1")
    identity = world.must("network inspect -f '{{.Id}}' n1")
    prefix = identity[:9]
    by_prefix = world.must(f"network inspect -f '{{{{.Name}}}}' {prefix}")
    world.must(f"network create --subnet 10.72.0.0/24 {prefix}")
    by_name = world.must(f"network inspect -f '{{{{.Name}}}}' {prefix}") == prefix
    world.must(f"network rm {prefix}")

    def members() -> list[str]:
        found = json.loads(world.must("network inspect -f '{{json .Containers}}' n1"))
        return [one["Name"] + " " + one["IPv4Address"] for one in found.values()]

    def listed(*filters: str) -> list[str]:
        options = " ".join(f"--filter {one}" for one in filters)
        return sorted(world.must(f"network ls {options} --format '{{{{.Name}}}}'").split())

    def refused(options: str) -> str:
        return world.docker(f"network create {options} bad").words

    running = members()
    odd = [
        world.docker(f"network create --subnet 10.8{n}.0.0/24 '{name}'").status
        for n, name in enumerate(("a@b", "a#b", "a b"))
    ]
    again = world.docker("run -d --name aa myapp")
    short = world.docker("run -d --name x myapp")
    bad = world.docker("network create --subnet notacidr bad").status
    filters = [
        listed("driver=bridge"),
        listed("type=builtin"),
        listed("name=n1"),
        listed("label=kk=vv"),
        listed(f"id={prefix}"),
    ]
    world.must("stop -t 0 aa")
    return {
        "LC-18": [
            refused("--subnet 10.94.0.0/24 --gateway 10.93.0.1"), refused("--subnet 10.94.0.0/24 --ip-range 10.93.0.0/25"),
        ],
        "LC-19": [refused("--gateway 10.93.0.1"), refused("--ip-range 10.93.0.0/25")],
        "LC-23": refused("--subnet 10.94.0.0/24 --subnet 10.94.0.0/25"),
        "LC-25": odd,
        "LC-26": [short.status, "Invalid container name (x), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed" in short.words],
        "LC-27": [again.status, re.sub(r"\s+", " ", again.words)],
        "LC-28": [by_prefix, by_name, world.must(f"network inspect -f '{{{{.Name}}}}' {prefix}")],
        "LC-29": [running, members()],
        "LC-33": filters,
        "LC-17": bad,
    }  # fmt: skip


@rows("V6-03", "V6-04", "V6-05", "V6-06", "V6-08", "V6-09", "V6-10", "V6-15", "V6-01", "V6-12")
def ipv6(world: World) -> dict:
    world.must("network create --ipv6 --subnet 10.71.0.0/24 --subnet fd00:aaaa::/64 n6")
    world.must("network create --ipv6 --subnet 10.72.0.0/24 --subnet fd00:bbbb::/64 --gateway fd00:bbbb::ff g6")
    world.idle("aa", "bb", options="--network n6")
    world.web("cc", "--network n6 --ip6 fd00:aaaa::99 -p 8080:80")
    world.idle("dd", options="--network g6")

    def addresses(place: str, device: str) -> list[str]:
        found = re.findall(r"inet6 (\S+) scope (\w+)", world.at(place, f"ip -6 address show dev {device}").stdout)
        return sorted("fe80::/64" if scope == "link" and place != "host" else address for address, scope in found)

    def routes(place: str) -> list[str]:
        said = world.inside(place, "ip -6 route").stdout
        return sorted(
            re.sub(r"( metric \d+| pref \w+| proto \w+| linkdown)", "", line).strip() for line in said.splitlines()
        )

    lines = [
        line.split()[0] for line in world.file("aa", "/etc/hosts").splitlines() if line.startswith(("10.", "fd00"))
    ]
    for _ in range(4):  # the kernel first makes sure for a while that nobody else has a new IPv6 address
        proxied = world.web_reach("host", "[::1]:8080")
        if proxied == "reply":
            break
    bad = [
        world.docker(f"run -d --name zz{n} --network n6 --ip6 {address} myapp")
        for n, address in enumerate(("fd00:aaaa::99", "172.20.0.9"))
    ]
    return {
        "V6-03": [addresses(place, "eth0")[0] for place in ("aa", "bb")],
        "V6-04": [addresses("aa", "eth0"), world.addresses("aa").get("eth0")],
        "V6-05": routes("aa"),
        "V6-06": [
            address for address in addresses("host", world.bridge("n6")) if address in ("fd00:aaaa::1/64", "fe80::1/64")
        ],
        "V6-08": [world.dig("aa", "bb AAAA"), world.dig("aa", "-x fd00:aaaa::3")],
        "V6-09": lines,
        "V6-10": [addresses("cc", "eth0")[0], [done.status for done in bad], "Address already in use" in bad[0].words],
        "V6-15": [line for line in routes("dd") if line.startswith("default")],
        "V6-01": Today(world.docker("network create --ipv6 any").status, 0),
        "V6-12": [proxied, world.web_reach("outside", f"{HOST}:8080")],
    }
