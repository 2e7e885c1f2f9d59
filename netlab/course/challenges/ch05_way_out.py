"""Chapter 05, level 1: a private network that wants to go out."""

from __future__ import annotations

from netlab.course.checks import answers, page
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    lab.host.add_bridge("hub").up().add_address("10.5.0.1/24")
    inside = lab.namespace("inside")
    cable, end = lab.host.add_veth("to-inside", "eth0", peer_place=inside)
    cable.attach("hub").up()
    end.add_address("10.5.0.2/24").up()
    inside.add_route("default", via="10.5.0.1")


CHALLENGE = Challenge(
    key="way-out",
    chapter="05",
    level=1,
    titles=both(en="The way out", ja="外への道"),
    tasks=both(
        en="`inside` (`10.5.0.2`) hangs on a bridge of this host and has a default route. It reaches the host, and nothing beyond. "
        "Two things are missing on the host. Give `inside` the way to the web site `198.51.100.80`.",
        ja="`inside` (`10.5.0.2`) は、このホストのブリッジにつながり、デフォルトルートもあります。ホストには届きますが、その先には届きません。"
        "ホストに足りないものが 2 つあります。`inside` から Web サイト `198.51.100.80` に届くようにしてください。",
    ),
    prepare=_prepare,
    docker=False,
    checks=(answers("inside", "10.5.0.1"), answers("inside", "198.51.100.80"), page("inside", "http://198.51.100.80")),
    hints=(
        both(
            en="First: does the host pass on what is not meant for it? Then: could the web site answer to `10.5.0.2`?",
            ja="まず、ホストは自分宛てでないパケットを先へ渡すでしょうか。次に、Web サイトは `10.5.0.2` に返事を出せるでしょうか。",
        ),
        both(
            en="A switch of the kernel (`sysctl`), and one NAT rule at the hook *postrouting*.",
            ja="カーネルの設定 (`sysctl`) と、フック *postrouting* の NAT のルールが 1 つ必要です。",
        ),
        both(
            en="`sysctl -w net.ipv4.ip_forward=1`; then a table with a chain `{ type nat hook postrouting priority srcnat; }` and in it "
            "`ip saddr 10.5.0.0/24 oifname eth0 masquerade`.",
            ja="`sysctl -w net.ipv4.ip_forward=1` の後、テーブルにチェーン `{ type nat hook postrouting priority srcnat; }` を作り、その中に "
            "`ip saddr 10.5.0.0/24 oifname eth0 masquerade` を書きます。",
        ),
    ),
    solution="""\
lab.host.sysctl("net.ipv4.ip_forward", 1)
lab.host.nft("add table ip mine")
lab.host.nft("add chain ip mine out { type nat hook postrouting priority srcnat; }")
lab.host.nft("add rule ip mine out ip saddr 10.5.0.0/24 oifname eth0 masquerade")
""",
    other_solution="""\
%%on host
sysctl -q -w net.ipv4.ip_forward=1
iptables -t nat -A POSTROUTING -s 10.5.0.0/24 -o eth0 -j SNAT --to-source 203.0.113.10
""",
    wrong="%on host sysctl -q -w net.ipv4.ip_forward=1\n",
)
