"""Chapter 08, level 3: an overlay network that carries nothing."""

from __future__ import annotations

from netlab.course.checks import answers, holds
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    lab.network("everywhere", driver="overlay")
    lab.run("near", network="everywhere")
    lab.run("far", network="everywhere", host="host2")
    lab["host2"].nft(
        "add table inet guard\n"
        "add chain inet guard incoming { type filter hook input priority 0; }\n"
        "add rule inet guard incoming tcp dport 23 drop\n"
        "add rule inet guard incoming udp dport 4000-5000 drop"
    )


def _guard_still_guards(lab: Lab) -> bool:
    return any(rule.table == "guard" and "23" in rule.text and "drop" in rule.text for rule in lab["host2"].rules)


CHALLENGE = Challenge(
    key="lost-in-the-tunnel",
    chapter="08",
    level=3,
    titles=both(en="Repair: lost in the tunnel", ja="修理: トンネルの中で消える"),
    tasks=both(
        en="`near` on `host` and `far` on `host2` are on the overlay network `everywhere`. The name of `far` is found, but no packet arrives. "
        "Repair it. A firewall on `host2` must go on dropping telnet (TCP port 23).",
        ja="`host` の `near` と `host2` の `far` は、overlay ネットワーク `everywhere` にあります。`far` の名前は引けますが、パケットが届きません。"
        "直してください。ただし、`host2` のファイアウォールは、これまでどおり telnet(TCP のポート 23)を捨て続ける必要があります。",
    ),
    prepare=_prepare,
    hosts=2,
    checks=(
        answers("near", "far"),
        answers("far", "near"),
        holds(
            both(en="`host2` still drops TCP port 23", ja="`host2` が TCP のポート 23 を捨て続けている"),
            _guard_still_guards,
            both(
                en="The rule of `guard` against telnet is gone.",
                ja="telnet を捨てる `guard` のルールがなくなっています。",
            ),
        ),
    ),
    hints=(
        both(
            en="Inside the tunnel all is well. What does the outer packet look like, and who sees it on the way?",
            ja="トンネルの中に問題はありません。外側のパケットはどんな姿で、途中で誰の目に触れるでしょうか。",
        ),
        both(
            en="The outer packet is UDP to port 4789 of `203.0.113.11`. `%on host2 nft list ruleset`",
            ja="外側のパケットは、`203.0.113.11` のポート 4789 に宛てた UDP です。`%on host2 nft list ruleset` を見ましょう。",
        ),
        both(
            en="`%on host2 nft insert rule inet guard incoming udp dport 4789 accept`",
            ja="`%on host2 nft insert rule inet guard incoming udp dport 4789 accept` とします。",
        ),
    ),
    solution="%on host2 nft insert rule inet guard incoming udp dport 4789 accept\n",
    other_solution="""\
%%on host2
nft flush chain inet guard incoming
nft add rule inet guard incoming tcp dport 23 drop
""",
    wrong="%on host2 nft delete table inet guard\n",
)
