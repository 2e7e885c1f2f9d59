"""Choices of addresses and what is refused of them: pools, ranges, gateways, drivers."""

from __future__ import annotations

import json
import re

from scenario import Today, rows
from world import ROUTER, World


def _subnet(world: World, name: str) -> str:
    world.must(f"network create {name}")
    return json.loads(world.config(name))[0]["Subnet"]


@rows("UD-03", "UD-04", "UD-05")
def free_pools(world: World) -> dict:
    world.must("network create gone")
    _subnet(world, "kept")
    world.must("network rm gone")
    again = _subnet(world, "again")
    world.must("network rm again kept")
    world.host("ip link add taken0 type bridge && ip address add 172.25.9.1/24 dev taken0 && ip link set taken0 up")
    world.host(f"ip route add 172.26.0.0/16 via {ROUTER}")
    chosen = [_subnet(world, f"p{number}x") for number in range(12)]
    world.host(f"ip route delete 172.26.0.0/16 via {ROUTER}")
    world.host("ip link delete taken0")
    return {
        "UD-03": Today(again, "172.18.0.0/16"),
        "UD-04": "172.25.0.0/16" in chosen,
        "UD-05": "172.26.0.0/16" in chosen,
    }


@rows("UD-14", "UD-17", "UD-22", "UD-27", "UD-28", "UD-31", "LC-06", "LC-20", "LC-21", "LC-22", "LC-24")
def odd_networks(world: World) -> dict:
    def refused(options: str) -> tuple[bool, str]:
        done = world.docker(f"network create {options} odd")
        world.docker("network rm odd")
        return done.status != 0, done.words.rpartition("config:\n")[2].lower()

    world.must("network create --subnet 10.96.0.0/24 --ip-range 10.96.0.64/26 ranged")
    world.idle("aa", options="--network ranged")
    world.must("network create auto")
    chosen = re.search(r"[\d.]+", world.config("auto")).group().rpartition(".")[0] + ".77"
    world.must("network create --subnet 10.95.0.0/24 used")
    world.idle("cc", options="--network used")
    forced = [world.docker(f"network rm -f {name}").status for name in ("used", "nosuch")]
    gone = "used" not in world.must("network ls")
    return {
        "UD-14": refused("-o com.docker.network.bridge.name=averyveryverylongname")[0],
        "UD-17": [world.routes("aa")[:1], world.address("aa", "ranged")],
        "UD-22": Today(world.docker(f"run -d --name bb --network auto --ip {chosen} myapp").status, 0),
        "UD-27": Today(
            refused("--subnet 10.94.0.0/24 --ip-range 10.94.0.0/23"),
            (True, "invalid ip-range 10.94.0.0/23: cidr block is bigger than its parent subnet 10.94.0.0/24"),
        ),
        "UD-28": [refused(f"--subnet {subnet}") for subnet in ("127.0.0.0/24", "224.0.0.0/24")],
        "UD-31": refused("-o com.docker.network.driver.mtu=abc"),
        "LC-06": Today([forced, gone], [[1, 0], False]),
        "LC-20": [refused(f"--subnet 10.94.0.0/24 --gateway 10.94.0.{last}") for last in (0, 255)],
        "LC-21": refused("--subnet 10.94.0.0/24 --aux-address x=10.94.0.1"),
        "LC-22": refused("--subnet 10.94.0.0/24 --subnet 10.93.0.0/24"),
        "LC-24": refused("-d bogus"),
    }


@rows("BR-11", "BR-13", "BR-23", "BR-45", "UD-34", "LC-30", "V6-02", "V6-07")
def in_a_container(world: World) -> dict:
    world.idle("aa")
    world.must("network create --subnet 10.71.0.0/24 c-n1")
    world.must("network create --subnet 10.72.0.0/24 c-n2")
    world.must("create --name bb --network c-n2 myapp")
    world.must("network connect c-n1 bb")
    world.must("start bb")
    numbered = [world.addresses("bb")]
    world.must("restart -t 0 bb")
    numbered.append(world.addresses("bb"))
    same = [world.docker(f"run -d --name {name} --mac-address 02:00:00:00:00:bb myapp").status for name in ("m1", "m2")]
    short = world.must("inspect -f '{{.Id}}' bb")[:12]
    hosts = world.file("aa", "/etc/hosts").replace(world.must("inspect -f '{{.Id}}' aa")[:12], "<id>").splitlines()
    usual = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback"]
    usual += ["fe00::\tip6-localnet", "ff00::\tip6-mcastprefix", "ff02::1\tip6-allnodes", "ff02::2\tip6-allrouters"]
    inner = re.findall(r"inet6 (\S+)", world.inside("aa", "ip -6 address").stdout)
    aliases = json.loads(world.must("inspect -f '{{json (index .NetworkSettings.Networks \"c-n1\").Aliases}}' bb"))
    world.must("network create --subnet 10.73.0.0/24 --subnet fd00:1::/64 half")
    world.must("network create --ipv6 --subnet 10.74.0.0/24 --subnet fd00:2::/64 six")
    world.idle("cc", options="--network six")
    off = world.inside("cc", "sysctl -n net.ipv6.conf.all.disable_ipv6 net.ipv6.conf.eth0.disable_ipv6").stdout.split()
    macs = world.host(f"ip -br link show docker0; ip -br link show {world.bridge('c-n1')}").stdout
    return {
        "BR-11": re.findall(r" (02:42):", macs),
        "BR-13": same,
        "BR-23": Today(hosts, [*usual, "172.17.0.2\t<id>"]),
        "BR-45": Today(inner, ["::1/128"]),
        "UD-34": numbered,
        "LC-30": Today([one.replace(short, "<id>") for one in aliases or []], []),
        "V6-02": [world.must("network inspect -f '{{.EnableIPv6}}' half")],
        "V6-07": Today(off, ["0", "0"]),
    }
