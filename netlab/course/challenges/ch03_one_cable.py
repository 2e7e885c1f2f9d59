"""Chapter 03, level 2: the host's end of one cable among many."""

from __future__ import annotations

from netlab.course.checks import answers, holds, silent
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    lab.run_many(["apple", "banana", "cherry"])


def _inside_untouched(lab: Lab) -> bool:
    return lab["cherry"].link("eth0").state.up


CHALLENGE = Challenge(
    key="one-cable",
    chapter="03",
    level=2,
    titles=both(en="Pull out one cable", ja="1 本だけ抜く"),
    tasks=both(
        en="`cherry` must be cut off at once, and nobody may go into the container to do it. With plain `ip` commands, switch off "
        "the host's end of its cable. `apple` and `banana` must not notice anything.",
        ja="`cherry` を今すぐネットワークから切り離してください。ただし、コンテナの中で作業してはいけません。普通の `ip` コマンドで、"
        "ケーブルのホスト側の端を止めます。`apple` と `banana` に影響があってはいけません。",
    ),
    prepare=_prepare,
    checks=(
        silent("cherry", "172.17.0.1"),
        holds(
            both(
                en="Inside `cherry`, `eth0` is still switched on (it has lost the signal)",
                ja="`cherry` の中の `eth0` は、スイッチが入ったままである(信号だけがない)",
            ),
            _inside_untouched,
            both(
                en="The `eth0` of `cherry` itself is switched off: that is the wrong end.",
                ja="`cherry` の中の `eth0` が止まっています。反対側の端を止めてください。",
            ),
        ),
        answers("apple", "172.17.0.3"),
        answers("banana", "172.17.0.1"),
    ),
    hints=(
        both(
            en="Each end of a veth pair knows the number of its partner.",
            ja="veth ペアのそれぞれの端は、相手の番号を知っています。",
        ),
        both(
            en="`%on cherry cat /sys/class/net/eth0/iflink` gives the number; `%on host ip -o link` tells the name behind it.",
            ja="`%on cherry cat /sys/class/net/eth0/iflink` で番号が分かります。その名前は `%on host ip -o link` で調べます。",
        ),
        both(
            en="`ip link set vethXXXXXXX down` on the host, with the name that you have found.",
            ja="見つけた名前を使って、ホストで `ip link set vethXXXXXXX down` とします。",
        ),
    ),
    solution="""\
number = lab["cherry"].sh("cat /sys/class/net/eth0/iflink").stdout.strip()
name = lab.host.sh(f"ip -o link | grep ^{number}:").stdout.split()[1].split("@")[0]
lab.host.sh(f"ip link set {name} down", check=True)
""",
    other_solution="""\
lab.host.link(lab["cherry"].veth).down()
""",
    wrong="""\
%on host ip -n cherry link set eth0 down
""",
)
