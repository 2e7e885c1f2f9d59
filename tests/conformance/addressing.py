"""Addresses, routes and interfaces: the default bridge, networks with and without a subnet, connect and disconnect."""

from __future__ import annotations

import json
import re

from scenario import Today, rows
from world import HOST, World


@rows("UD-01", "UD-02", "UD-08", "UD-10", "LC-03")
def pools(world: World) -> dict:
    names = [f"pool{number}" for number in range(30)]
    subnets = []
    for name in names:
        world.must(f"network create {name}")
        subnets.append(json.loads(world.config(name))[0]["Subnet"])
    bridge = world.bridge("pool0")
    before = world.addresses("host").get(bridge)
    more = world.docker("network create more").refusal
    world.must(f"network rm {' '.join(names)}")
    return {
        "UD-01": subnets,
        "UD-02": Today(more, (True, "all predefined address pools have been fully subnetted")),
        "UD-08": before,
        "UD-10": before is not None,
        "LC-03": bridge in world.host("ip -br link").stdout,
    }


@rows(
    "BR-01", "BR-02", "BR-03", "BR-04", "BR-05", "BR-06", "BR-07", "BR-08", "BR-09", "BR-10", "BR-16", "BR-17", "LC-31"
)
def default_bridge(world: World) -> dict:
    def bridge_state() -> str:
        return world.host("ip -br link show docker0").stdout.split()[1]

    def top(container: str) -> str:
        return world.must(f"inspect -f '{{{{.NetworkSettings.IPAddress}}}}' {container}")

    own = re.search(r"inet (\S+ brd \S+)", world.host("ip -4 address show docker0").stdout)
    options = json.loads(world.must("network inspect -f '{{json .Options}}' bridge"))
    gateway = json.loads(world.config("bridge"))[0].get("Gateway")
    idle = bridge_state()
    world.idle("aa", "bb", "cc")
    first = [world.address(name) for name in ("aa", "bb", "cc")]
    mac = world.must("inspect -f '{{.NetworkSettings.MacAddress}}' aa")
    routes = world.routes("aa")
    mtus = re.findall(
        r"mtu (\d+)", world.inside("aa", "ip link show eth0").stdout + world.host("ip link show docker0").stdout
    )
    shown = top("aa")
    world.must("rm -f bb")
    world.idle("dd")
    freed = world.address("dd")
    world.must("stop -t 0 aa")
    stopped = world.address("aa")
    world.idle("ee")
    taken = world.address("ee")
    world.must("start aa")
    moved = world.address("aa")
    world.must("rm -f ee")
    world.must("restart -t 0 cc")
    return {
        "BR-01": own and own.group(1),
        "BR-02": [idle, bridge_state()],
        "BR-03": Today(gateway, "172.17.0.1"),
        "BR-04": {key: value for key, value in options.items() if "gateway_mode" not in key},
        "BR-05": first,
        "BR-06": freed,
        "BR-07": [stopped, taken],
        "BR-08": moved,
        "BR-09": [world.address("cc")],
        "BR-10": Today(mac.startswith("02:42:ac:11"), today=False),
        "BR-16": routes,
        "BR-17": mtus,
        "LC-31": shown,
    }


@rows("BR-14", "BR-15")
def veth_pairs(world: World) -> dict:
    world.idle("aa")
    inner = world.inside("aa", "ip -o link show eth0").stdout
    number, peer = re.match(r"(\d+): eth0@if(\d+):", inner).groups()
    outer = world.host("ip -o link show type veth").stdout
    ends = re.findall(r"^(\d+): (veth[0-9a-f]{7})@if(\d+):.* master (\S+)", outer, re.MULTILINE)
    return {
        "BR-14": [(len(name), master) for _, name, _, master in ends],
        "BR-15": [(own == peer, other == number) for own, _, other, _ in ends],
    }


@rows("BR-42", "BR-12", "BR-24", "BR-25", "BR-43")
def options_of_run(world: World) -> dict:
    world.idle("aa", options="--network default")
    world.idle("bb", options="--mac-address 02:00:00:00:00:aa")
    world.must("restart -t 0 bb")
    world.idle("cc", options="--hostname h1 --add-host foo:1.2.3.4 --add-host hg:host-gateway")
    hosts = world.file("cc", "/etc/hosts").splitlines()
    return {
        "BR-42": world.addresses("aa"),
        "BR-12": "02:00:00:00:00:aa" in world.inside("bb", "ip link show eth0").stdout,
        "BR-24": [hosts[-1], world.file("cc", "/etc/hostname"), world.must("exec cc hostname")],
        "BR-25": [line.split() for line in hosts[-3:]],
        "BR-43": world.docker("exec aa ip link set eth0 mtu 1400").status != 0,
    }


@rows("BR-28", "BR-29")
def refused_on_the_default_bridge(world: World) -> dict:
    world.must("network create nn")
    world.idle("aa", options="--network nn")
    alias = world.docker("network connect --alias xx bridge aa")
    address = world.docker("run -d --name bb --ip 172.17.0.99 myapp")
    return {
        "BR-28": [alias.status, "alias" in alias.words, "user" in alias.words],
        "BR-29": Today(
            re.sub(r"\s+", " ", address.words),
            "invalid endpoint settings: user-specified IP address is supported on user-defined networks only",
        ),
    }


@rows("UD-15", "UD-16", "UD-18", "UD-19", "UD-20", "UD-21", "UD-24")
def ranges(world: World) -> dict:
    world.must("network create --subnet 10.99.0.0/24 --gateway 10.99.0.254 --ip-range 10.99.0.128/25 ranged")
    world.idle("aa", "bb", options="--network ranged")
    world.idle("cc", options="--network ranged --ip 10.99.0.7")
    refused = {
        what: world.docker(f"run -d --name dd-{what} --network ranged --ip {address} myapp").words.rpartition(": ")[2]
        for what, address in (
            ("used", "10.99.0.7"), ("gateway", "10.99.0.254"), ("network", "10.99.0.0"), ("broadcast", "10.99.0.255"),
        )
    }  # fmt: skip
    outside = world.docker("run -d --name ee --network ranged --ip 10.98.0.7 myapp")
    nothing = world.docker("run -d --name ff --network ranged --ip foo myapp")
    world.must("network create --subnet 10.91.0.0/29 --aux-address a=10.91.0.2 --aux-address b=10.91.0.3 tiny")
    world.idle("t1", "t2", "t3", options="--network tiny")
    full = world.docker("run -d --name t4 --network tiny myapp")
    return {
        "UD-15": [
            world.config("ranged"),
            world.address("aa", "ranged"),
            world.address("bb", "ranged"),
            world.routes("aa"),
        ],
        "UD-16": world.address("aa", "ranged"),
        "UD-18": world.addresses("cc"),
        "UD-19": refused,
        "UD-20": Today(
            outside.words.rpartition("daemon: ")[2],
            "failed to set up container networking: invalid endpoint settings:\n"
            "no configured subnet contains IP address 10.98.0.7",
        ),
        "UD-21": [nothing.status, "foo" in nothing.words],
        "UD-24": [
            full.status,
            "no available IPv4 addresses on this network's address pools: tiny (<id>)" in full.words,
            world.must("inspect -f '{{.State.Status}}' t4"),
        ],
    }


@rows("UD-23", "UD-25", "UD-07", "UD-29", "UD-26", "UD-09", "UD-11", "UD-12")
def subnets(world: World) -> dict:
    world.must("network create --subnet 10.91.0.0/29 --aux-address a=10.91.0.2 --aux-address b=10.91.0.3 tiny")
    world.idle("t1", "t2", "t3", options="--network tiny")
    world.must("network create --subnet 10.92.0.0/30 two")
    world.idle("u1", options="--network two")
    second = world.docker("run -d --name u2 --network two myapp")
    small = [world.docker(f"network create --subnet 10.93.0.0/{length} small").status != 0 for length in (31, 32)]
    bits = world.docker("network create --subnet 10.97.0.5/24 bits")
    world.must("network create --subnet 10.98.0.0/24 plain")
    world.must("network create -o com.docker.network.bridge.name=br-named --subnet 10.90.0.0/24 named")
    twin = world.docker("network create -o com.docker.network.bridge.name=br-named --subnet 10.89.0.0/24 twin")
    lan = world.docker("network create --subnet 203.0.113.0/24 lan")
    world.docker("network rm lan")
    return {
        "UD-23": [world.address(name, "tiny") for name in ("t1", "t2", "t3")],
        "UD-25": Today([world.address("u1", "two"), second.status, small], ["10.92.0.2", 125, [False, True]]),
        "UD-07": lan.refusal,
        "UD-29": Today(world.docker("network create --subnet 0.0.0.0/0 all").status, 0),
        "UD-26": Today(bits.words.rpartition("\n")[2], "invalid subnet 10.97.0.5/24: it should be 10.97.0.0/24"),
        "UD-09": Today(world.config("plain"), '[{"Subnet":"10.98.0.0/24","Gateway":"10.98.0.1"}]'),
        "UD-11": world.addresses("host").get("br-named"),
        "UD-12": [twin.status != 0, "networks have same bridge name" in twin.words],
    }


@rows("UD-30", "UD-49", "UD-50", "UD-52", "UD-51", "PM-46", "LC-35")
def network_options(world: World) -> dict:
    prefix = "com.docker.network"
    world.must(f"network create --subnet 10.81.0.0/24 -o {prefix}.driver.mtu=1280 --label kk=vv small")
    world.must(f"network create --subnet 10.82.0.0/24 -o {prefix}.container_iface_prefix=net named")
    world.must(f"network create --subnet 10.83.0.0/24 -o {prefix}.bridge.enable_ip_masquerade=false plain")
    world.must(f"network create --subnet 10.84.0.0/24 -o {prefix}.bridge.inhibit_ipv4=true bare")
    world.must(f"network create --subnet 10.85.0.0/24 -o {prefix}.bridge.host_binding_ipv4=127.0.0.1 local")
    world.must(f"network create --subnet 10.86.0.0/24 -o {prefix}.host_ipv4={HOST} sourced")
    world.idle("aa", options="--network small")
    world.idle("bb", options="--network named")
    world.idle("cc", options="--network plain")
    world.idle("dd", options="--network sourced")
    world.web("ww", "--network local -p 8085:80")
    mtus = world.inside("aa", "ip link show eth0").stdout + world.host(f"ip link show {world.bridge('small')}").stdout
    world.serve("outside", 8000)
    return {
        "UD-30": re.findall(r"mtu (\d+)", mtus),
        "UD-49": sorted(world.addresses("bb")),
        "UD-50": world.ping("cc", "203.0.113.50"),
        "UD-52": world.addresses("host").get(world.bridge("bare")),
        "UD-51": world.who("dd", "203.0.113.50:8000"),
        "PM-46": [world.must("port ww"), world.web_reach("outside", f"{HOST}:8085")],
        "LC-35": [
            world.must("network inspect -f '{{json .Labels}}' small"),
            world.must("network inspect -f '{{json .Options}}' small"),
        ],
    }


@rows("UD-32", "UD-33", "UD-35", "UD-36", "UD-37", "UD-38", "UD-39", "UD-40", "UD-43")
def connecting(world: World) -> dict:
    for number, name in enumerate(("n1", "n2", "n3"), 1):
        world.must(f"network create --subnet 10.7{number}.0.0/24 {name}")
    world.idle("aa", options="--network n2")
    world.must("network connect n3 aa")
    stays = world.routes("aa")
    world.must("network connect --ip 10.71.0.40 n1 aa")
    three = world.addresses("aa")
    moved = world.routes("aa")
    lines = sorted(line for line in world.file("aa", "/etc/hosts").splitlines() if line.startswith("10."))
    twice = world.docker("network connect n1 aa").refusal
    world.must("network disconnect n1 aa")
    back = world.routes("aa")
    world.must("network disconnect n3 aa")
    world.must("network connect n3 aa")
    again = sorted(world.addresses("aa"))
    never = world.docker("network disconnect n1 aa").refusal
    unknown = [world.docker("network connect nosuch aa"), world.docker("network connect n1 nosuch")]
    world.must("network disconnect n3 aa")
    world.must("network disconnect n2 aa")
    return {
        "UD-32": [three, [line.split()[0] for line in lines]],
        "UD-33": Today(again, ["eth0", "eth1", "lo"]),
        "UD-35": [stays, moved],
        "UD-36": back,
        "UD-37": [world.addresses("aa"), world.routes("aa")],
        "UD-38": twice,
        "UD-39": never,
        "UD-40": [(done.status, done.words) for done in unknown],
        "UD-43": three.get("eth2"),
    }


@rows("UD-41", "UD-42", "UD-45", "UD-46", "UD-54")
def stopped_and_internal(world: World) -> dict:
    world.must("network create --subnet 10.71.0.0/24 n1")
    world.must("network create --subnet 10.72.0.0/24 n2")
    world.must("network create --internal --subnet 10.73.0.0/24 in")
    world.must("create --name aa --network n1 myapp")
    world.must("network connect n2 aa")
    world.must("start aa")
    both = world.addresses("aa")
    world.idle("bb", options="--network n1 --ip 10.71.0.55")
    world.must("stop -t 0 bb")
    world.idle("cc", options="--network n1 --ip 10.71.0.55")
    taken = world.docker("start bb")
    world.must("rm -f cc")
    free = world.docker("start bb")
    world.idle("i1", "i2", options="--network in")
    reach = [world.ping("i1", target) for target in ("10.73.0.3", "10.73.0.1")] + [world.ping("host", "10.73.0.2")]
    names = [f"p{number}x" for number in range(6)]
    world.idle(*names, options="--network n1")
    return {
        "UD-41": both,
        "UD-42": [taken.status, "Address already in use" in taken.words, free.status],
        "UD-45": reach,
        "UD-46": Today(world.ping("i1", "203.0.113.50"), "unreachable"),
        "UD-54": len({world.address(name, "n1") for name in names}),
    }
