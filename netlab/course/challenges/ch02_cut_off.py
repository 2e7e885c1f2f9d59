"""Chapter 02, level 3: a container whose network stack somebody has worked on."""

from __future__ import annotations

from netlab.course.checks import answers, holds, page
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    lab.run("web", image="nginx")
    lab["web"].sh("ip link set eth0 down; ip link set lo down", check=True)


def _has_its_address(lab: Lab) -> bool:
    return any(one.address == "172.17.0.2" for one in lab["web"].link("eth0").state.addresses)


CHALLENGE = Challenge(
    key="cut-off",
    chapter="02",
    level=3,
    titles=both(en="Repair: the silent container", ja="修理: 沈黙したコンテナ"),
    tasks=both(
        en="Somebody has been working inside `web`, and since then nobody gets its page, and `web` reaches nothing, not even "
        "itself. Bring the same container back, without starting it again: with its address `172.17.0.2`, and with a way out "
        "to `198.51.100.80`.",
        ja="誰かが `web` の中で作業をしてから、`web` のページは誰にも見えず、`web` からはどこにも、自分自身にさえ届きません。"
        "再起動せずに、同じコンテナを元に戻してください。アドレスは `172.17.0.2` のまま、`198.51.100.80` にも届くようにします。",
    ),
    prepare=_prepare,
    checks=(
        holds(
            both(en="`web` has its address `172.17.0.2`", ja="`web` のアドレスが `172.17.0.2` である"),
            _has_its_address,
            both(en="`eth0` of `web` does not have `172.17.0.2`.", ja="`web` の `eth0` に `172.17.0.2` がありません。"),
        ),
        answers("web", "127.0.0.1"),
        page("host", "http://172.17.0.2", by="web"),
        answers("web", "198.51.100.80"),
    ),
    hints=(
        both(
            en="Look at the five things that a namespace has of its own, one after the other: interfaces first, then addresses, "
            "then the routing table.",
            ja="名前空間が独自に持つ 5 つのものを、順に見ていきましょう。まずインターフェース、次にアドレス、それから経路です。",
        ),
        both(
            en="When an interface is switched off, the kernel forgets the routes that lead through it, and does not bring them back.",
            ja="インターフェースを止めると、そこを通る経路をカーネルは忘れます。入れ直しても、自動では戻りません。",
        ),
        both(
            en="`ip link set lo up`, `ip link set eth0 up`, `ip route add default via 172.17.0.1`, all in `web`.",
            ja="`web` の中で、`ip link set lo up`、`ip link set eth0 up`、`ip route add default via 172.17.0.1` を実行します。",
        ),
    ),
    solution="""\
%%on web
ip link set lo up
ip link set eth0 up
ip route add default via 172.17.0.1
""",
    other_solution="""\
lab["web"].link("lo").up()
lab["web"].link("eth0").up()
lab["web"].add_route("default", via="172.17.0.1")
""",
    wrong="""\
%%on web
ip link set lo up
ip link set eth0 up
""",
)
