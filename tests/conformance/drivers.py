"""Drivers that need more of the host: macvlan on its interface, and what host and container: share."""

from __future__ import annotations

import ipaddress
import json
import re

from scenario import Today, rows
from world import HOST, OUTSIDE, World

_LAN = "--subnet 203.0.113.0/24 --gateway 203.0.113.1"


@rows("DR-06", "DR-13")
def sharing(world: World) -> dict:
    world.idle("aa", options="--network host")
    nameless = world.docker("run -d --name bb --network container: myapp")
    return {
        "DR-06": world.file("aa", "/etc/resolv.conf") == world.host("cat /etc/resolv.conf").stdout.rstrip("\n"),
        "DR-13": [nameless.status, "invalid container format container:<name|id>" in nameless.words],
    }


@rows("DR-16", "DR-17", "DR-18", "DR-20", "DR-21")
def macvlan(world: World) -> dict:
    rules = "nft --stateless list ruleset; iptables-save -t nat"

    def said() -> str:
        return re.sub(r"\[\d+:\d+\]|^#.*$", "", world.host(rules).stdout, flags=re.MULTILINE)

    before = said()
    world.must(f"network create -d macvlan {_LAN} --ip-range 203.0.113.192/27 -o parent=eth0 mv")
    world.idle("aa", options="--network mv -p 8080:80")
    world.idle("bb", options="--network mv")
    kind = re.search(r"macvlan mode (\w+)", world.inside("aa", "ip -d link show eth0").stdout)
    second = world.docker("network create -d macvlan --subnet 10.77.0.0/24 -o parent=eth0 mv2")
    bad = [
        world.docker(f"network create -d macvlan --subnet 10.78.0.0/24 {options} bad")
        for options in ("-o parent=eth0 -o macvlan_mode=bogus", "-o parent=nosuch0")
    ]
    return {
        "DR-16": [kind and kind.group(1), world.addresses("aa")["eth0"], said() == before],
        "DR-17": [
            world.ping("aa", HOST) == "answered",
            world.ping("host", world.address("aa", "mv")) == "answered",
            world.ping("aa", world.address("bb", "mv")),
            world.ping("aa", OUTSIDE),
            world.ping("outside", world.address("aa", "mv")),
        ],
        "DR-18": [world.must("port aa"), world.dig("aa", "bb")],
        "DR-20": Today(second.status, 0),
        "DR-21": [[done.status for done in bad], bad[0].words],
    }


@rows("DR-19")
def private_macvlan(world: World) -> dict:
    world.must(
        f"network create -d macvlan {_LAN} --ip-range 203.0.113.192/27 -o parent=eth0 -o macvlan_mode=private mv"
    )
    world.idle("aa", "bb", options="--network mv")
    return {"DR-19": [world.ping("aa", world.address("bb", "mv")) == "answered", world.ping("aa", OUTSIDE)]}


@rows("DR-25", "DR-26", "DR-27", "DR-28", "DR-29", "DR-30", "DR-31", "DR-33", "DR-39")
def overlay(world: World) -> dict:
    alone = world.docker("network create -d overlay ov")
    world.swarm()
    prefix = "com.docker.network"
    world.must("network create -d overlay --attachable ov")
    world.must("network create -d overlay ov2")
    numbered = [
        [world.config(name), json.loads(world.must(f"network inspect -f '{{{{json .Options}}}}' {name}"))]
        for name in ("ov", "ov2")
    ]
    world.idle("aa", options="--network ov")
    world.web("bb", "--network ov -p 8085:80")
    gateway = json.loads(world.must("network inspect -f '{{json .Options}}' docker_gwbridge"))
    subnet = ipaddress.ip_network(json.loads(world.config("docker_gwbridge"))[0]["Subnet"])
    default = f"default via {subnet[1]} dev eth1"
    shut = world.docker("run -d --name cc --network ov2 myapp")
    mtus = re.findall(r"(eth\d)@\S+ .*mtu (\d+)", world.inside("aa", "ip -o link").stdout)
    beside = world.addresses("bb")["eth1"][0].partition("/")[0]
    used = [world.docker(f"network rm {name}") for name in ("ov", "docker_gwbridge")]
    return {
        "DR-25": [alone.status, 'This node is not a swarm manager. Use "docker swarm init"' in alone.words],
        "DR-26": "ingress" in world.must("network ls"),
        "DR-27": [subnet.prefixlen, gateway.get(f"{prefix}.bridge.enable_icc"), world.ping("aa", beside)],
        "DR-28": numbered,
        "DR-29": [shut.status, "not manually attachable" in shut.words],
        "DR-30": [world.addresses("aa")["eth0"], mtus, default in world.routes("aa")],
        "DR-31": [
            world.must("port bb").splitlines()[0],
            world.web_reach("outside", f"{HOST}:8085"),
        ],
        "DR-33": world.address("bb", "ov"),
        "DR-39": [
            [done.status for done in used],
            "is in use by task" in used[0].words,
            "has active endpoints" in used[1].words,
        ],
    }
