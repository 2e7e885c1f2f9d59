"""Port mapping: what is listed, who reaches it, whom the server sees, what is refused."""

from __future__ import annotations

import re

from scenario import rows
from world import HOST, World


@rows("PM-01", "PM-06", "PM-08", "PM-09", "PM-11", "PM-12", "PM-16", "PM-26", "PM-44")
def forms(world: World) -> dict:
    world.web("p1", "-p 8080:80")
    world.web("p2", "-p 127.0.0.1:8081:80")
    world.web("p3", "-p 0.0.0.0:8082:80 -p [::]:8083:80")
    world.web("p4", f"-p {HOST}:8084:80")
    world.idle("p5", options="-p 8000-8002:80-82")
    world.idle("p6", options="-p 8010-8015:80")
    world.idle("p7", options="-p 8053:53/tcp -p 8053:53/udp")
    world.web("p8", "-p 8090:80 -p 8091:80")
    world.idle("p9", options="--expose 81")
    world.idle("pa")

    def everywhere(port: int) -> list[str]:
        return [
            world.web_reach("host", f"127.0.0.1:{port}"),
            world.web_reach("host", f"{HOST}:{port}"),
            world.web_reach("outside", f"{HOST}:{port}"),
            world.web_reach("pa", f"172.17.0.1:{port}"),
        ]

    def listed(name: str) -> list[str]:
        return sorted(world.must(f"port {name}").replace("[::]", "::").replace(":::", "[::]:").splitlines())

    return {
        "PM-01": [listed("p1"), everywhere(8080)],
        "PM-06": [listed("p2"), everywhere(8081)],
        "PM-08": [listed("p3"), world.web_reach("host", "[::1]:8083"), world.web_reach("host", "127.0.0.1:8083")],
        "PM-09": [listed("p4"), everywhere(8084)],
        "PM-11": listed("p5"),
        "PM-12": listed("p6"),
        "PM-16": listed("p7"),
        "PM-26": [everywhere(8090), everywhere(8091)],
        "PM-44": [listed("p9"), world.must("ps --filter name=p9 --format '{{.Ports}}'")],
    }


@rows("PM-03", "PM-04", "PM-05", "PM-07", "PM-20", "PM-45")
def ephemeral(world: World) -> dict:
    def port(name: str) -> int:
        return int(world.must(f"port {name}").splitlines()[0].rpartition(":")[2])

    world.idle("e1", "e2", "e3", options="-p 80")
    given = [port(name) for name in ("e1", "e2", "e3")]
    world.must("rm -f e2")
    world.idle("e4", options="-p 80")
    fresh = port("e4")
    world.must("restart -t 0 e1")
    again = port("e1")
    world.idle("e5", options="-p 127.0.0.1::80")
    world.idle("e6", options="-p 0:80 -p :81")
    world.idle("e7", options="-P --expose 90 --expose 91/udp")
    return {
        "PM-03": [number - given[0] for number in given],
        "PM-04": fresh - given[0],
        "PM-05": again not in {*given, fresh},
        "PM-07": world.must("port e5").rpartition(":")[0],
        "PM-20": sorted({line.partition(" ->")[0] for line in world.must("port e6").splitlines()}),
        "PM-45": sorted({line.partition(" ->")[0] for line in world.must("port e7").splitlines()}),
    }


@rows("PM-17")
def whom_a_server_of_udp_sees(world: World) -> dict:
    world.idle("aa", options="-p 5454:5353/udp")
    world.idle("bb")
    world.serve_udp("aa", 5353)
    return {
        "PM-17": [
            world.who_udp(place, address, 5454)
            for place, address in (("outside", HOST), ("host", HOST), ("host", "127.0.0.1"), ("bb", HOST))
        ]
    }


@rows("PM-14", "PM-55")
def several_and_udp(world: World) -> dict:
    world.idle("aa", options="-p 80-82")
    given = sorted(
        int(line.rpartition(":")[2]) for line in set(world.must("port aa").splitlines()) if "0.0.0.0" in line
    )
    world.idle("bb", options="-p 5353:5353/udp")
    world.outside(f"echo hello | nc -u -w 1 {HOST} 5353")
    flows = "conntrack -L -p udp 2>/dev/null | grep -c 'dport=5353'"
    before = world.host(flows).stdout.strip()
    world.must("rm -f bb")
    return {
        "PM-14": [number - given[0] for number in given],
        "PM-55": [before, world.host(flows).stdout.strip()],
    }


@rows("PM-13", "PM-15", "PM-19", "PM-21", "PM-22", "PM-24", "PM-25", "PM-27")
def conflicts(world: World) -> dict:
    world.idle("c0", options="-p 8080:80")

    def refused(name: str, options: str) -> list:
        done = world.docker(f"run -d --name {name} {options} myapp")
        return [done.status, done.words.rpartition("): ")[2]]

    world.idle("c1", options="-p 8079-8081:80")
    skipped = world.must("port c1").splitlines()[0]
    pair = refused("c2", "-p 8080-8081:80-81")
    taken = refused("c3", "-p 8080:80")
    world.idle("c7", options="-p 127.0.0.1:9090:80")
    world.idle("c8", options="-p 127.0.0.2:9090:80")
    bad = [
        world.docker(f"run -d --name bad {spec} myapp").status
        for spec in (
            "-p 70000:80",
            "-p abc:80",
            "-p 8080:abc",
            "-p 8080:80/icmp",
            "-p 1.2.3:8080:80",
            "-p 9090-9089:80",
        )
    ]
    ranges = [refused("c6", f"-p {spec}") for spec in ("8000-8001:80-82", "8080:80-81")]
    return {
        "PM-13": [skipped, pair[0], "port is already allocated" in pair[1]],
        "PM-15": [status for status, _ in ranges],
        "PM-19": bad,
        "PM-21": taken,
        "PM-22": world.must("inspect -f '{{.State.Status}}' c3"),
        "PM-24": refused("c4", "-p 8180:80 -p 8180:80"),
        "PM-25": refused("c5", "-p 8181:80 -p 8181:81"),
        "PM-27": [world.must("port c7"), world.must("port c8")],
    }


@rows("PM-23", "PM-28", "PM-29", "PM-10")
def held_by_others(world: World) -> dict:
    world.idle("c0", options="-p 8080:80")
    world.serve("host", 8090)
    world.serve("host", 8091, "::ffff:127.0.0.1")

    def refused(name: str, options: str) -> list:
        done = world.docker(f"run -d --name {name} {options} myapp")
        return [done.status, done.status == 0 or any(word in done.words for word in ("in use", "allocated", "assign"))]

    return {
        "PM-23": refused("c1", "-p 127.0.0.1:8080:80"),
        "PM-28": refused("c2", "-p 8090:80"),
        "PM-29": [refused("c3", "-p 0.0.0.0:8091:80"), refused("c4", f"-p {HOST}:8091:80")],
        "PM-10": refused("c5", "-p 10.9.9.9:8095:80"),
    }


@rows("PM-30", "PM-31", "LC-01", "LC-04")
def life_of_a_mapping(world: World) -> dict:
    world.must("network create --subnet 10.71.0.0/24 n1")

    def rules() -> list[str]:
        done = world.host("nft --stateless list ruleset; iptables-save -t nat; iptables-save -t filter").stdout
        return [line for line in done.splitlines() if "8080" in line]

    def everything() -> str:
        said = world.host("nft --stateless list ruleset; iptables-save -t nat; iptables-save -t filter").stdout
        return re.sub(r"\[\d+:\d+\]|^#.*$|# handle \d+", "", said, flags=re.MULTILINE)

    def links() -> int:
        return world.host("ip -br link show type veth").stdout.count("\n")

    before = links()
    untouched = everything()
    world.web("aa", "--network n1 -p 8080:80")
    reached = world.web_reach("outside", f"{HOST}:8080")
    mapped = bool(rules())
    world.must("stop -t 0 aa")
    stopped = [world.web_reach("outside", f"{HOST}:8080"), world.must("port aa"), rules()]
    world.web("bb", "-p 8080:80")
    taken = world.docker("start aa")
    world.must("rm -f bb")
    freed = world.docker("start aa").status
    world.must("rm -f aa")
    return {
        "PM-30": [reached, mapped, stopped],
        "PM-31": [taken.status, "port is already allocated" in taken.words, freed],
        "LC-01": [links() - before, rules(), world.bridge("n1") in world.host("ip -br link").stdout],
        "LC-04": everything() == untouched,
    }


@rows("PM-34", "PM-35", "PM-36", "PM-37", "PM-38", "PM-39", "PM-40", "PM-41", "PM-42")
def whom_the_server_sees(world: World) -> dict:
    world.must("network create --subnet 10.71.0.0/24 n1")
    world.must("network create --subnet 10.72.0.0/24 n2")
    world.idle("srv", options="--network n1 -p 8081:8000 -p 8082:8001")
    world.idle("silent", options="--network n1 -p 8083:80")
    world.idle("near", options="--network n1")
    world.idle("far", options="--network n2")
    world.serve("srv", 8000)
    world.serve("srv", 8001, "::ffff:127.0.0.1")
    return {
        "PM-34": [
            world.web_reach("host", "127.0.0.1:8083"),
            world.web_reach("host", f"{HOST}:8083"),
            world.web_reach("outside", f"{HOST}:8083"),
        ],
        "PM-35": [world.web_reach("host", "127.0.0.1:8082"), world.web_reach("outside", f"{HOST}:8082")],
        "PM-36": world.who("outside", f"{HOST}:8081"),
        "PM-37": world.who("host", f"{HOST}:8081"),
        "PM-38": [world.who("host", f"{at}:8081") for at in ("127.0.0.1", "[::1]", "10.71.0.1")],
        "PM-39": [world.who(place, f"{HOST}:8081") for place in ("near", "far")],
        "PM-40": [world.web_reach("srv", f"{at}:8081") for at in (HOST, "10.71.0.1")],
        "PM-41": world.web_reach("srv", "127.0.0.1:8081"),
        "PM-42": world.web_reach("host", "[::1]:8081"),
    }


@rows("PM-47", "PM-48", "PM-49", "PM-50", "PM-51", "PM-52", "PM-53")
def ports_and_networks(world: World) -> dict:
    world.must("network create --subnet 10.71.0.0/24 n1")
    world.must("network create --subnet 10.72.0.0/24 n2")
    world.must("network create --internal --subnet 10.73.0.0/24 in")
    world.web("aa", "--network none -p 8080:80")
    none = [world.must("port aa"), world.web_reach("outside", f"{HOST}:8080")]
    host = world.docker("run -d --name bb --network host -p 8081:8099 myapp")
    shared = world.docker("run -d --name cc --network container:aa -p 8082:80 myapp")
    world.web("dd", "--network in -p 8083:80")
    inactive = [world.must("port dd"), world.web_reach("outside", f"{HOST}:8083")]
    world.must("network connect n1 dd")
    active = world.web_reach("outside", f"{HOST}:8083")
    world.web("ee", "--network n2 -p 9000:80")
    world.must("network connect n1 ee")
    moved = [world.must("port ee").splitlines()[0], world.web_reach("outside", f"{HOST}:9000")]
    world.must("network disconnect n1 ee")
    world.must("network disconnect n2 ee")
    return {
        "PM-47": none,
        "PM-48": [host.status, "Published ports are discarded when using host network mode" in host.stderr],
        "PM-49": [
            shared.status,
            "conflicting options: port publishing and the container type network mode" in shared.words,
        ],
        "PM-50": inactive,
        "PM-51": active,
        "PM-52": moved,
        "PM-53": [world.must("port ee"), world.web_reach("outside", f"{HOST}:9000")],
    }
