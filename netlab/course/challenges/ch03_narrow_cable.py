"""Chapter 03, level 3: small packets pass and large ones do not."""

from __future__ import annotations

from netlab.course.checks import answers
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    attic, cellar = lab.namespace("attic"), lab.namespace("cellar")
    one, other = lab.host.add_veth("one", "other")
    one.move(attic).add_address("10.3.0.1/24").up()
    other.move(cellar).add_address("10.3.0.2/24").set_mtu(600).up()


CHALLENGE = Challenge(
    key="narrow-cable",
    chapter="03",
    level=3,
    titles=both(en="Repair: the narrow cable", ja="修理: 細いケーブル"),
    tasks=both(
        en="`attic` and `cellar` are joined by a cable. Small messages arrive, pictures do not: `ping -M do -s 1400 10.3.0.2` from "
        "`attic` gets no answer. Find out what is narrow, and make it as wide as usual.",
        ja="`attic` と `cellar` はケーブルでつながっています。短いメッセージは届きますが、画像は届きません。`attic` から "
        "`ping -M do -s 1400 10.3.0.2` を実行しても応答がありません。どこが「細い」のかを突き止め、普通の太さに戻してください。",
    ),
    prepare=_prepare,
    checks=(
        answers("attic", "10.3.0.2"),
        answers("attic", "10.3.0.2", size=1400),
        answers("cellar", "10.3.0.1", size=1400),
    ),
    hints=(
        both(
            en="How large a packet may be is a property of an interface, and a cable has two.",
            ja="パケットの大きさの上限は、インターフェースの性質です。ケーブルには端が 2 つあります。",
        ),
        both(
            en="`ip link` shows `mtu` for each interface. Compare both ends.",
            ja="`ip link` は、インターフェースごとに `mtu` を表示します。両端を比べましょう。",
        ),
        both(
            en="`ip -n cellar link set other mtu 1500` on the host.",
            ja="ホストで `ip -n cellar link set other mtu 1500` とします。",
        ),
    ),
    solution='lab["cellar"].link("other").set_mtu(1500)\n',
    other_solution="%on host ip -n cellar link set dev other mtu 1500\n",
    wrong='lab["attic"].link("one").set_mtu(9000)\n',
)
