"""Chapter 02, level 1: a namespace that cannot even talk to itself."""

from __future__ import annotations

from netlab.course.checks import answers, silent
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    lab.namespace("booth")
    lab.namespace("vault")


CHALLENGE = Challenge(
    key="own-voice",
    chapter="02",
    level=1,
    titles=both(en="Talking to oneself", ja="自分の声が聞こえるように"),
    tasks=both(
        en="`booth` and `vault` are new namespaces. Programs in `booth` want to talk to each other at `127.0.0.1`, and cannot. "
        "Make it possible in `booth`, and leave `vault` as it is.",
        ja="`booth` と `vault` は、作られたばかりの名前空間です。`booth` の中のプログラム同士が `127.0.0.1` で通信しようとしていますが、"
        "できません。`booth` の中でだけ通信できるようにしてください。`vault` はそのままにします。",
    ),
    prepare=_prepare,
    checks=(answers("booth", "127.0.0.1"), silent("vault", "127.0.0.1")),
    hints=(
        both(
            en="Even a message to oneself leaves by an interface and comes back by it. Which one, and in what state is it?",
            ja="自分宛てのメッセージも、インターフェースを出て戻ってきます。どのインターフェースで、どんな状態でしょうか。",
        ),
        both(
            en="`%on booth ip -brief link` shows it. The `lo` of the host is another one.",
            ja="`%on booth ip -brief link` で見られます。ホストの `lo` は別のものです。",
        ),
        both(
            en='`lab["booth"].link("lo").up()`, or `ip -n booth link set lo up` on the host.',
            ja='`lab["booth"].link("lo").up()`、またはホストで `ip -n booth link set lo up` とします。',
        ),
    ),
    solution='lab["booth"].link("lo").up()\n',
    other_solution="%on host ip netns exec booth ip link set lo up\n",
    wrong='lab.host.link("lo").up()\n',
)
