"""Names: what the internal name server answers, to whom, and what the files in a container say."""

from __future__ import annotations

import re
from collections.abc import Callable

from scenario import Today, rows
from world import HOST, NAME_SERVER, OUTSIDE, ROUTER, SITE, SITE_NAME, World


def _two_networks(world: World) -> None:
    world.must("network create --subnet 10.71.0.0/24 n1")
    world.must("network create --subnet 10.72.0.0/24 n2")


@rows("BR-19", "BR-20", "BR-21", "BR-26", "BR-27", "DR-03", "DN-53")
def without_a_name_server(world: World) -> dict:
    world.idle("aa", "bb")
    world.idle("cc", options="--dns 9.9.9.9 --dns-search ex.org --dns-opt timeout:1")
    world.idle("dd", options="--dns 9.9.9.1 --dns 9.9.9.2 --dns 9.9.9.3 --dns 9.9.9.4")
    world.idle("ee", options="--network none")

    def servers(name: str) -> list[str]:
        return [line for line in world.file(name, "/etc/resolv.conf").splitlines() if line and not line.startswith("#")]

    def own_lines(name: str) -> int:
        return len(re.findall(r"^(?:10|172)\.", world.file(name, "/etc/hosts"), re.MULTILINE))

    mounts = world.file("aa", "/proc/self/mounts")
    return {
        "BR-19": servers("aa"),
        "BR-20": [world.docker("exec aa ping -c 1 -W 1 bb").status != 0, world.ping("aa", world.address("bb"))],
        "BR-21": world.inside("aa", "ss -Hlntu").stdout.strip(),
        "BR-26": sorted(servers("cc")),
        "BR-27": servers("dd"),
        "DR-03": [servers("ee"), own_lines("ee"), own_lines("aa")],
        "DN-53": sorted(set(re.findall(r" (/etc/(?:hosts|resolv\.conf|hostname)) ", mounts))),
    }


@rows(
    "DN-01", "DN-03", "DN-04", "DN-06", "DN-07", "DN-08", "DN-09", "DN-10", "DN-11", "DN-12", "DN-13", "DN-15", "DN-17",
    "DN-20", "DN-22", "DN-23", "DN-24", "DN-26", "DN-28", "DN-29", "DN-31", "DN-35", "DN-58",
)  # fmt: skip
def answers(world: World) -> dict:
    _two_networks(world)
    world.idle("aa", options="--network n1")
    world.idle("bb", options="--network n1 --hostname hosta --network-alias ali --network-alias second")
    world.idle("c.d1", options="--network n1 --dns-opt ndots:2")
    world.idle("C_Up.er", options="--network n1")
    short = world.must("inspect -f '{{.Id}}' bb")[:12]
    plain = world.inside("aa", "dig @127.0.0.11 +noedns bb").stdout
    sockets = world.inside("aa", "ss -Hlntu").stdout
    return {
        "DN-01": [
            line for line in world.file("aa", "/etc/resolv.conf").splitlines() if not line.startswith("#") and line
        ],
        "DN-03": "options ndots:2" in world.file("c.d1", "/etc/resolv.conf"),
        "DN-04": [sockets.count("127.0.0.11:"), ":53 " in sockets],
        "DN-06": [
            world.host("dig @127.0.0.11 +tries=1 +time=1 bb").status,
            world.inside("aa", "dig @10.71.0.3 +tries=1 +time=1 bb").status,
        ],
        "DN-07": world.dig("aa", "+tcp bb"),
        "DN-08": [
            re.findall(r"flags: ([a-z ]+);", plain),
            re.findall(r"^bb\.\s+(\d+)\s+IN\s+A\s+(\S+)", plain, re.MULTILINE),
        ],
        "DN-09": [world.dig("aa", "BB"), "\nBB." in world.inside("aa", "dig @127.0.0.11 BB").stdout],
        "DN-10": [world.dig("aa", short), world.dig("aa", short[:11])],
        "DN-11": world.dig("aa", "hosta"),
        "DN-12": [world.dig("aa", "ali"), world.dig("aa", "second")],
        "DN-13": [world.dig("aa", name) for name in ("bb.n1", "ali.n1", "c.d1.n1", "bb.n2")],
        "DN-15": world.dig("aa", "aa"),
        "DN-17": world.dig("aa", "c_up.er"),
        "DN-20": world.dig("aa", "bb AAAA"),
        "DN-22": world.dig("aa", "bb MX"),
        "DN-23": [world.dig("aa", f"bb {kind}") for kind in ("TXT", "NS", "SRV")],
        "DN-24": world.dig("aa", "-x 10.71.0.3"),
        "DN-26": [world.dig("aa", "-x 10.71.0.1"), world.dig("aa", "-x 8.8.8.8"), world.dig("aa", f"-x {HOST}")[0]],
        "DN-28": [world.dig("aa", "nosuch"), world.dig("aa", SITE_NAME)],
        "DN-29": world.dig("c.d1", "nosuch"),
        "DN-31": world.dig("aa", "nosuch.example.com"),
        "DN-35": world.dig("aa", f"+tcp {SITE_NAME}"),
        "DN-58": [
            world.inside(
                "aa", "echo garbage >/dev/udp/127.0.0.11/53; printf '\\0\\5abcde' | nc -w 1 127.0.0.11 53; true"
            ).status,
            world.dig("aa", "bb"),
        ],
    }


@rows("DN-14", "DN-19")
def not_known_here(world: World) -> dict:
    world.must("network create --subnet 10.71.0.0/24 n1")
    world.idle("aa", "bb", options="--network n1")
    return {
        "DN-14": [world.dig("aa", name) for name in ("bb.n1.example.com", "aa.example.com")],
        "DN-19": [world.dig("aa", name) for name in ("localhost", "host.docker.internal", "gateway.docker.internal")],
    }


@rows("DN-16", "DN-25", "DN-18", "DN-27", "DN-40", "DN-41", "DN-42", "DN-43")
def several(world: World) -> dict:
    _two_networks(world)
    world.idle("aa", options="--network n1")
    nameless = world.must("run -d --network n1 myapp").strip()
    given = world.must(f"inspect -f '{{{{.Name}}}}' {nameless}").removeprefix("/")
    world.idle("old", options="--network n1")
    before = world.dig("aa", "old")
    world.must("rename old new")
    renamed = [before, world.dig("aa", "old"), world.dig("aa", "new")]
    world.idle("s1", "s2", "s3", options="--network n1 --network-alias shared")
    shared = world.dig("aa", "shared")
    orders = {tuple(world.inside("aa", "dig @127.0.0.11 +short shared").stdout.split()) for _ in range(16)}
    world.must("stop -t 0 s2")
    left = world.dig("aa", "shared")
    world.idle("al", options="--network n1 --network-alias s1")
    world.idle("hn", options="--network n1 --hostname s3")
    both = [world.dig("aa", "s1"), world.dig("aa", "s3")]
    reverse = world.dig("aa", "-x 10.71.0.4")
    world.must("network disconnect n1 new")
    nameless_reverse = world.dig("aa", "-x 10.71.0.3")[1]
    return {
        "DN-16": Today(world.dig("aa", given), ["NOERROR", ["10.71.0.3"]]),
        "DN-25": Today(nameless_reverse == (f"{given}.n1.",), today=True),
        "DN-18": renamed,
        "DN-27": [reverse, world.dig("aa", "-x 10.71.0.4")],
        "DN-40": [shared, len(orders) > 1],
        "DN-41": left,
        "DN-42": both[0],
        "DN-43": both[1],
    }


@rows("DN-44", "DN-45", "DN-46", "DN-47", "DN-48", "DN-39", "DN-36", "DN-37")
def scope(world: World) -> dict:
    _two_networks(world)
    world.must("network create --internal --subnet 10.73.0.0/24 in")
    world.idle("aa", options="--network n1")
    world.idle("bb", options="--network n2")
    world.idle("both", options="--network n1")
    world.must("network connect --alias onlyn2 n2 both")
    world.idle("too", options="--network n1")
    world.must("network connect n2 too")
    seen = {
        "DN-44": [world.dig("aa", "onlyn2"), world.dig("bb", "onlyn2")],
        "DN-45": [world.dig("aa", "bb"), world.dig("bb", "aa")],
        "DN-46": [world.dig("aa", "both"), world.dig("bb", "both")],
        "DN-47": [world.dig("too", "both") for _ in range(4)],
    }
    world.must("network disconnect n1 both")
    seen["DN-48"] = [world.dig("too", "both"), world.dig("aa", "both")]
    world.idle("i1", "i2", options="--network in")
    seen["DN-36"] = world.dig("i1", "i2")
    seen["DN-37"] = Today(world.dig("i1", SITE_NAME), ["SERVFAIL", []])
    world.must("network connect n1 i1")
    seen["DN-39"] = world.dig("i1", SITE_NAME)
    return seen


@rows("DN-49", "DN-50", "DN-51", "DN-52", "DN-32")
def files(world: World) -> dict:
    _two_networks(world)
    world.idle("aa")
    world.idle("cc", options="--network n1")
    world.must("network connect n1 aa")
    with_names = "127.0.0.11" in world.file("aa", "/etc/resolv.conf")
    world.idle("dd", options="--network n1 --add-host cc:127.0.0.9")
    world.idle("ee", options="--network n1 --dns 203.0.113.250")
    found = world.docker("exec dd ping -c 1 -W 1 cc").stdout.partition("(")[2].partition(")")[0]
    for path in ("hosts", "resolv.conf"):
        world.must(f"exec cc sh -c 'echo \"# 9.8.7.6 edited\" >>/etc/{path}'")
    world.must("network connect n2 cc")
    kept = ["edited" in world.file("cc", "/etc/hosts")]
    world.must("network disconnect n2 cc")
    kept.append("edited" in world.file("cc", "/etc/hosts"))
    world.must("restart -t 0 cc")
    nobody = world.dig("ee", "+time=6 www.example.org")
    return {
        "DN-49": [with_names, world.dig("aa", "cc")],
        "DN-50": "edited" in world.file("cc", "/etc/resolv.conf"),
        "DN-51": [found, world.dig("dd", "cc")],
        "DN-52": [*kept, "edited" in world.file("cc", "/etc/hosts")],
        "DN-32": Today(nobody, ["SERVFAIL", []]),
    }


@rows("DN-30", "DN-33", "DN-55", "DN-56")
def servers_further_up(world: World) -> dict:
    world.must("network create --subnet 10.71.0.0/24 n1")
    world.idle("aa", options="--network n1 --dns-search ex.test")
    world.idle("bb", options="--network n1 --dns 127.0.0.11")
    nobody = f"--dns {OUTSIDE} --dns {SITE}"  # machines that are there, and have no name server
    world.idle("cc", options=f"--network n1 {nobody} --dns {NAME_SERVER}")
    world.idle("dd", options=f"--network n1 {nobody} --dns {ROUTER} --dns {NAME_SERVER}")
    source, name = _first_question(world, lambda: world.docker("exec aa ping -c 1 -W 1 nosuch"))
    return {
        "DN-30": name,
        "DN-33": source,
        "DN-55": Today(world.dig("bb", SITE_NAME), ["SERVFAIL", []]),
        "DN-56": [world.dig(container, SITE_NAME)[1] for container in ("cc", "dd")],
    }


def _first_question(world: World, ask: Callable[[], object]) -> tuple[str, str]:
    """Return the address that a question leaves the host with, and the name that is asked for."""
    started = world.host(
        "rm -f /run/asked; setsid timeout 30 tcpdump -l -n -t -c 1 -i eth0 udp dst port 53 >/run/asked 2>/run/listens & "
        "for i in $(seq 200); do grep -q listening /run/listens && exit; sleep 0.05; done; exit 1"
    )
    assert started.status == 0, started.stderr
    ask()
    line = world.host("for i in $(seq 100); do test -s /run/asked && break; sleep 0.05; done; cat /run/asked").stdout
    found = re.match(r"IP (\S+)\.\d+ > \S+: .* A(?:AAA)?\? (\S+) ", line)
    assert found, line
    return found[1], found[2]
