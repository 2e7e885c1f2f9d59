"""Chapter 04, level 1: a cable that ends beside the switch."""

from __future__ import annotations

from netlab.course.checks import answers, holds
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    lab.host.add_bridge("hub").up()
    for number, name in enumerate(("one", "two", "three"), start=1):
        place = lab.namespace(name)
        cable, end = lab.host.add_veth(f"to-{name}", "eth0", peer_place=place)
        end.add_address(f"10.4.0.{number}/24").up()
        if name != "three":
            cable.attach("hub").up()


def _attached(lab: Lab) -> bool:
    return lab.host.link("to-three").state.master == "hub"


CHALLENGE = Challenge(
    key="third-socket",
    chapter="04",
    level=1,
    titles=both(en="The third socket", ja="3 つ目の差し込み口"),
    tasks=both(
        en="The bridge `hub` connects `one` and `two`. The cable of `three`, `to-three`, ends somewhere on the host's floor. "
        "Plug it in, so that all three reach each other.",
        ja="ブリッジ `hub` には `one` と `two` がつながっています。`three` のケーブル `to-three` は、ホストの床に転がったままです。"
        "差し込んで、3 つが互いに通信できるようにしてください。",
    ),
    prepare=_prepare,
    docker=False,
    checks=(
        holds(
            both(en="`to-three` is a port of `hub`", ja="`to-three` が `hub` のポートになっている"),
            _attached,
            both(en="`to-three` is not attached to `hub`.", ja="`to-three` が `hub` につながっていません。"),
        ),
        answers("three", "10.4.0.1"),
        answers("three", "10.4.0.2"),
        answers("one", "10.4.0.2"),
    ),
    hints=(
        both(
            en="A port needs two things: a bridge, and power.",
            ja="ポートに必要なものは 2 つです。ブリッジと、電源です。",
        ),
        both(
            en='`lab.host.link("to-three")` is the cable\'s end; it has `.attach` and `.up`.',
            ja='`lab.host.link("to-three")` がケーブルの端です。`.attach` と `.up` があります。',
        ),
        both(
            en='`lab.host.link("to-three").attach("hub").up()`, or `ip link set to-three master hub up`.',
            ja='`lab.host.link("to-three").attach("hub").up()`、または `ip link set to-three master hub up` とします。',
        ),
    ),
    solution='lab.host.link("to-three").attach("hub").up()\n',
    other_solution="%on host ip link set to-three master hub up\n",
    wrong="%on host ip link set to-three master hub\n",
)
