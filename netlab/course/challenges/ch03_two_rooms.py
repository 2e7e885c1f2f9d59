"""Chapter 03, level 1: a cable between two namespaces."""

from __future__ import annotations

from netlab.course.checks import answers, holds
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    lab.namespace("attic")
    lab.namespace("cellar")


def _joined(lab: Lab) -> bool:
    return any(one.kind == "veth" and one.peer_place == "cellar" for one in lab["attic"].interfaces)


CHALLENGE = Challenge(
    key="two-rooms",
    chapter="03",
    level=1,
    titles=both(en="A cable between two rooms", ja="2 つの部屋を結ぶケーブル"),
    tasks=both(
        en="The host has two namespaces, `attic` and `cellar`, and no cable. Connect them directly with a veth pair, so that "
        "`attic` reaches `cellar` at `10.3.0.2`. Names of the interfaces and the address of `attic` are up to you.",
        ja="ホストに名前空間 `attic` と `cellar` がありますが、ケーブルはありません。2 つを veth ペアで直接つなぎ、"
        "`attic` から `cellar` に `10.3.0.2` で届くようにしてください。インターフェースの名前と `attic` のアドレスは自由です。",
    ),
    prepare=_prepare,
    checks=(
        holds(
            both(en="A veth pair joins `attic` and `cellar`", ja="veth ペアが `attic` と `cellar` を結んでいる"),
            _joined,
            both(
                en="No veth pair has one end in `attic` and the other in `cellar`.",
                ja="一端が `attic`、もう一端が `cellar` にある veth ペアがありません。",
            ),
        ),
        answers("attic", "10.3.0.2"),
    ),
    hints=(
        both(
            en="Three things are needed at each end: the end in its room, an address, and the switch on.",
            ja="それぞれの端に 3 つのことが必要です。端を部屋に置く、アドレスを付ける、スイッチを入れる。",
        ),
        both(
            en="`lab.host.add_veth(…)` makes the pair and returns both ends; an end has `.move`, `.add_address` and `.up`.",
            ja="`lab.host.add_veth(…)` がペアを作り、両端を返します。端には `.move`、`.add_address`、`.up` があります。",
        ),
        both(
            en='`one, other = lab.host.add_veth("one", "other")`, then for each end: '
            '`one.move(lab["attic"]).add_address("10.3.0.1/24").up()`',
            ja='`one, other = lab.host.add_veth("one", "other")` の後、それぞれの端で '
            '`one.move(lab["attic"]).add_address("10.3.0.1/24").up()` とします。',
        ),
    ),
    solution="""\
one, other = lab.host.add_veth("one", "other")
one.move(lab["attic"]).add_address("10.3.0.1/24").up()
other.move(lab["cellar"]).add_address("10.3.0.2/24").up()
""",
    other_solution="""\
%%on host
ip link add eth0 netns attic type veth peer name eth0 netns cellar
ip -n attic address add 10.3.0.1/24 dev eth0
ip -n cellar address add 10.3.0.2/24 dev eth0
ip -n attic link set eth0 up
ip -n cellar link set eth0 up
""",
    wrong="""\
one, other = lab.host.add_veth("one", "other")
one.move(lab["attic"]).up()
other.move(lab["cellar"]).up()
one.add_address("10.3.0.1/24")
other.add_address("10.4.0.2/24")
""",
)
