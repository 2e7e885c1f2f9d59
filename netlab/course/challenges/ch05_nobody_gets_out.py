"""Chapter 05, level 3: two things are missing on the way out."""

from __future__ import annotations

from netlab.course.checks import answers, page
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    lab.run("web", image="nginx")
    lab.host.nft("flush chain ip docker-bridges nat-postrouting-out__docker0")
    lab.host.sysctl("net.ipv4.ip_forward", 0)


CHALLENGE = Challenge(
    key="nobody-gets-out",
    chapter="05",
    level=3,
    titles=both(en="Repair: nobody gets out", ja="修理: 誰も外に出られない"),
    tasks=both(
        en="After a change on the host no container reaches the outside. The host itself does. Find what is missing and put it back; `web` must not be started again.",
        ja="ホストで何かが変更されてから、どのコンテナからも外部に届きません。ホスト自身からは届きます。足りないものを見つけて元に戻してください。`web` は再起動しません。",
    ),
    prepare=_prepare,
    checks=(answers("web", "172.17.0.1"), answers("web", "198.51.100.80"), page("web", "http://www.example.com")),
    hints=(
        both(
            en="Walk with the packet: does it leave `docker0` towards `eth0`? And with which source address does it leave `eth0`?",
            ja="パケットと一緒に歩いてみましょう。`docker0` から `eth0` へ進めるでしょうか。`eth0` を出るとき、送信元は何でしょうか。",
        ),
        both(
            en="`sysctl net.ipv4.ip_forward`, and `nft list chain ip docker-bridges nat-postrouting-out__docker0`. There may be more than one fault.",
            ja="`sysctl net.ipv4.ip_forward` と `nft list chain ip docker-bridges nat-postrouting-out__docker0` を見ましょう。故障は 1 つとは限りません。",
        ),
        both(
            en="`sysctl -w net.ipv4.ip_forward=1` and `nft add rule ip docker-bridges nat-postrouting-out__docker0 oifname != docker0 ip saddr 172.17.0.0/16 masquerade`",
            ja="`sysctl -w net.ipv4.ip_forward=1` と `nft add rule ip docker-bridges nat-postrouting-out__docker0 oifname != docker0 ip saddr 172.17.0.0/16 masquerade` を実行します。",
        ),
    ),
    solution="""\
%%on host
sysctl -q -w net.ipv4.ip_forward=1
nft add rule ip docker-bridges nat-postrouting-out__docker0 oifname != docker0 ip saddr 172.17.0.0/16 counter masquerade
""",
    other_solution="""\
lab.host.sysctl("net.ipv4.ip_forward", 1)
%on host iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
""",
    wrong="%on host sysctl -q -w net.ipv4.ip_forward=1\n",
)
