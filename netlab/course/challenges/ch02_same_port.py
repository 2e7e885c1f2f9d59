"""Chapter 02, level 2: one port, three times, on one machine."""

from __future__ import annotations

from collections.abc import Callable

from netlab.course.checks import holds
from netlab.course.definition import Challenge, Check, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    for name in ("left", "right"):
        lab.namespace(name).link("lo").up()


def _listens(place: str) -> Callable[[Lab], bool]:
    return lambda lab: any(one.port == 8000 and one.protocol == "tcp" for one in lab[place].sockets)


def _one(place: str) -> Check:
    return holds(
        both(
            en=f"A program listens on TCP port 8000 in `{place}`",
            ja=f"`{place}` の TCP ポート 8000 で、プログラムが待ち受けている",
        ),
        _listens(place),
        both(
            en=f"In `{place}` nobody listens on port 8000.",
            ja=f"`{place}` では、誰もポート 8000 で待ち受けていません。",
        ),
    )


CHALLENGE = Challenge(
    key="same-port",
    chapter="02",
    level=2,
    titles=both(en="One port, three times", ja="同じポートを 3 回"),
    tasks=both(
        en="With plain commands on the host: start three programs that listen on TCP port 8000 at the same time, one in the "
        "namespace `left`, one in `right`, one on the host itself. `nc -lk 8000` is such a program. Started in the background, as "
        "`setsid nc -lk 8000 < /dev/null > /dev/null 2>&1 &`, it goes on when the cell has ended.",
        ja="ホストで普通のコマンドを使い、TCP ポート 8000 で待ち受けるプログラムを 3 つ同時に動かしてください。名前空間 `left`、"
        "名前空間 `right`、ホスト自身に 1 つずつです。`nc -lk 8000` がそのようなプログラムです。"
        "`setsid nc -lk 8000 < /dev/null > /dev/null 2>&1 &` のようにバックグラウンドで起動すると、セルが終わっても動き続けます。",
    ),
    prepare=_prepare,
    checks=(_one("left"), _one("right"), _one("host")),
    hints=(
        both(
            en="A port can be taken once in each namespace. So the three programs need three namespaces.",
            ja="1 つの名前空間で、1 つのポートを使えるのは一度だけです。3 つのプログラムには、3 つの名前空間が必要です。",
        ),
        both(
            en="`ip netns exec NAME COMMAND` runs a command in a namespace. The host's own needs no such thing.",
            ja="`ip netns exec NAME COMMAND` は、名前空間の中でコマンドを実行します。ホスト自身の名前空間では要りません。",
        ),
        both(
            en="In a `%%on host` cell: `ip netns exec left setsid nc -lk 8000 < /dev/null > /dev/null 2>&1 &`, the same for `right`, "
            "and once without `ip netns exec …`.",
            ja="`%%on host` のセルで、`ip netns exec left setsid nc -lk 8000 < /dev/null > /dev/null 2>&1 &` とし、`right` でも同じように、"
            "最後に `ip netns exec …` なしでもう一度実行します。",
        ),
    ),
    solution="""\
%%on host
ip netns exec left setsid nc -lk 8000 < /dev/null > /dev/null 2>&1 &
ip netns exec right setsid nc -lk 8000 < /dev/null > /dev/null 2>&1 &
setsid nc -lk 8000 < /dev/null > /dev/null 2>&1 &
sleep 0.3
""",
    other_solution="""\
%on left setsid nc -lk 127.0.0.1 8000 < /dev/null > /dev/null 2>&1 & sleep 0.3

%on right setsid nc -lk 0.0.0.0 8000 < /dev/null > /dev/null 2>&1 & sleep 0.3

%on host setsid nc -lk 203.0.113.10 8000 < /dev/null > /dev/null 2>&1 & sleep 0.3
""",
    wrong="""\
%%on host
setsid nc -lk 8000 < /dev/null > /dev/null 2>&1 &
setsid nc -lk 8000 < /dev/null > /dev/null 2>&1 &
setsid nc -lk 8000 < /dev/null > /dev/null 2>&1 &
sleep 0.3
""",
)
