"""Chapter 04, level 2: a switch of one's own, with plain ip."""

from __future__ import annotations

from netlab.course.checks import answers, holds
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    lab.namespace("red")
    lab.namespace("blue")


def _by_a_bridge(lab: Lab) -> bool:
    ports: dict[str, set[str | None]] = {}
    for one in lab.host.interfaces:
        if one.master and one.peer_place in ("red", "blue"):
            ports.setdefault(one.master, set()).add(one.peer_place)
    return {"red", "blue"} in ports.values()


CHALLENGE = Challenge(
    key="switch-by-hand",
    chapter="04",
    level=2,
    titles=both(en="A switch by hand", ja="手作りのスイッチ"),
    tasks=both(
        en="With plain `ip` commands on the host: connect the namespaces `red` (`10.4.0.1/24`) and `blue` (`10.4.0.2/24`) by a bridge "
        "of your own. Both must reach each other, and the host at `10.4.0.254`, which is the bridge's own address.",
        ja="ホストで普通の `ip` コマンドを使い、名前空間 `red` (`10.4.0.1/24`) と `blue` (`10.4.0.2/24`) を、自分で作ったブリッジでつないでください。"
        "2 つが互いに届き、どちらからもホストに `10.4.0.254` で届くようにします。これはブリッジ自身のアドレスです。",
    ),
    prepare=_prepare,
    docker=False,
    checks=(
        holds(
            both(
                en="`red` and `blue` are on one bridge of the host",
                ja="`red` と `blue` が、ホストの同じブリッジにつながっている",
            ),
            _by_a_bridge,
            both(
                en="There is no bridge on the host with a port to `red` and one to `blue`.",
                ja="`red` へのポートと `blue` へのポートの両方を持つブリッジが、ホストにありません。",
            ),
        ),
        answers("red", "10.4.0.2"),
        answers("red", "10.4.0.254"),
        answers("blue", "10.4.0.254"),
    ),
    hints=(
        both(
            en="You need one bridge and two cables. Everything has to be switched on: the bridge, and both ends of each cable.",
            ja="ブリッジ 1 つとケーブル 2 本が必要です。ブリッジと、ケーブルの両端のすべてにスイッチを入れます。",
        ),
        both(
            en="`ip link add NAME type bridge`; `ip link add NAME type veth peer name eth0 netns red`; `ip link set NAME master BRIDGE`.",
            ja="`ip link add NAME type bridge`、`ip link add NAME type veth peer name eth0 netns red`、`ip link set NAME master BRIDGE` を使います。",
        ),
        both(
            en="The bridge gets its address like any interface: `ip address add 10.4.0.254/24 dev BRIDGE`. In the namespaces: "
            "`ip -n red address add 10.4.0.1/24 dev eth0`, `ip -n red link set eth0 up`.",
            ja="ブリッジのアドレスも、ほかのインターフェースと同じように `ip address add 10.4.0.254/24 dev BRIDGE` で付けます。名前空間の中は "
            "`ip -n red address add 10.4.0.1/24 dev eth0` と `ip -n red link set eth0 up` です。",
        ),
    ),
    solution="""\
%%on host
ip link add hub type bridge
ip address add 10.4.0.254/24 dev hub
ip link set hub up
ip link add to-red type veth peer name eth0 netns red
ip link add to-blue type veth peer name eth0 netns blue
ip link set to-red master hub up
ip link set to-blue master hub up
ip -n red address add 10.4.0.1/24 dev eth0
ip -n blue address add 10.4.0.2/24 dev eth0
ip -n red link set eth0 up
ip -n blue link set eth0 up
""",
    other_solution="""\
bridge = lab.host.add_bridge("switch").up().add_address("10.4.0.254/24")
for name, address in (("red", "10.4.0.1/24"), ("blue", "10.4.0.2/24")):
    cable, end = lab.host.add_veth(f"v-{name}", "port", peer_place=lab[name])
    cable.attach(bridge).up()
    end.add_address(address).up()
""",
    wrong="""\
%%on host
ip link add one netns red type veth peer name two netns blue
ip -n red address add 10.4.0.1/24 dev one
ip -n blue address add 10.4.0.2/24 dev two
ip -n red link set one up
ip -n blue link set two up
""",
)
