"""Chapter 08, level 2: a tunnel by hand."""

from __future__ import annotations

from netlab.course.checks import answers, holds
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    lab.namespace("red")
    lab["host2"].sh("ip netns add blue", check=True)


def _by_vxlan(lab: Lab) -> bool:
    places = lab.snapshot().places
    tunnels = [dict(one.details) for place in places for one in place.interfaces if one.kind == "vxlan"]
    return [one.get("id") for one in tunnels] == ["42", "42"]


CHALLENGE = Challenge(
    key="tunnel",
    chapter="08",
    level=2,
    titles=both(en="A tunnel between two machines", ja="2 台のマシンを結ぶトンネル"),
    tasks=both(
        en="`red` is a namespace on `host` (`203.0.113.10`), `blue` one on `host2` (`203.0.113.11`). With plain `ip`: join them by a VXLAN tunnel with "
        "the id 42, so that `red` (`10.8.0.1/24`) reaches `blue` (`10.8.0.2/24`).",
        ja="`red` は `host` (`203.0.113.10`) の、`blue` は `host2` (`203.0.113.11`) の名前空間です。普通の `ip` コマンドで、id 42 の VXLAN トンネルを作り、"
        "`red` (`10.8.0.1/24`) から `blue` (`10.8.0.2/24`) に届くようにしてください。",
    ),
    prepare=_prepare,
    docker=False,
    hosts=2,
    checks=(
        holds(
            both(en="There are two VXLAN interfaces with the id 42", ja="id 42 の VXLAN インターフェースが 2 つある"),
            _by_vxlan,
            both(
                en="There are not exactly two VXLAN interfaces with the id 42.",
                ja="id 42 の VXLAN インターフェースが、ちょうど 2 つではありません。",
            ),
        ),
        answers("red", "10.8.0.2"),
        answers("blue", "10.8.0.1"),
    ),
    hints=(
        both(
            en="A VXLAN interface is made on a host: there is the network that carries the outer packets. Afterwards it may move to a namespace, or onto a bridge.",
            ja="VXLAN インターフェースは、外側のネットワークがあるホストで作ります。その後、名前空間に移しても、ブリッジにつないでもかまいません。",
        ),
        both(
            en="`ip link add vx type vxlan id 42 dstport 4789 local … remote … dev eth0` on each host, with the addresses the other way round.",
            ja="それぞれのホストで `ip link add vx type vxlan id 42 dstport 4789 local … remote … dev eth0` とします。local と remote は互いに逆になります。",
        ),
        both(
            en="Then `ip link set vx netns red`, `ip -n red address add 10.8.0.1/24 dev vx`, `ip -n red link set vx up`; on `host2` the same for `blue`.",
            ja="続けて `ip link set vx netns red`、`ip -n red address add 10.8.0.1/24 dev vx`、`ip -n red link set vx up` とし、`host2` では `blue` で同じことをします。",
        ),
    ),
    solution="""\
ends = (("host", "red", "10.8.0.1/24", ".10", ".11"), ("host2", "blue", "10.8.0.2/24", ".11", ".10"))
for host, room, address, here, there in ends:
    lab[host].sh(f"ip link add vx type vxlan id 42 dstport 4789 local 203.0.113{here} remote 203.0.113{there} dev eth0", check=True)
    lab[host].sh(f"ip link set vx netns {room}; ip -n {room} address add {address} dev vx; ip -n {room} link set vx up", check=True)
""",
    other_solution="""\
%%on host
ip link add vx type vxlan id 42 dstport 4789 remote 203.0.113.11 dev eth0
ip link add br0 type bridge
ip link add to-red type veth peer name eth0 netns red
for one in vx to-red; do ip link set $one master br0 up; done
ip link set br0 up
ip -n red address add 10.8.0.1/24 dev eth0
ip -n red link set eth0 mtu 1450 up

%%on host2
ip link add vx type vxlan id 42 dstport 4789 remote 203.0.113.10 dev eth0
ip link set vx netns blue
ip -n blue address add 10.8.0.2/24 dev vx
ip -n blue link set vx up
""",
    wrong="""\
for host, room, address, there, number in (("host", "red", "10.8.0.1/24", ".11", 42), ("host2", "blue", "10.8.0.2/24", ".10", 43)):
    lab[host].sh(f"ip link add vx type vxlan id {number} dstport 4789 remote 203.0.113{there} dev eth0", check=True)
    lab[host].sh(f"ip link set vx netns {room}; ip -n {room} address add {address} dev vx; ip -n {room} link set vx up", check=True)
""",
)
