"""Chapter 06, level 2: publish a port with nft alone."""

from __future__ import annotations

from netlab.course.checks import holds, no_page, page
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    lab.run("api", image="nginx")


def _not_published(lab: Lab) -> bool:
    return lab.containers["api"].status == "running" and not lab.containers["api"].ports


CHALLENGE = Challenge(
    key="number-by-hand",
    chapter="06",
    level=2,
    titles=both(en="An outside number by hand", ja="外線番号を手作業で"),
    tasks=both(
        en="`api` runs without `-p`. With `nft` alone, give it the outside number 9090: the client must get its page at "
        "`http://203.0.113.10:9090`. Its port 80 must not become reachable at the host's port 80.",
        ja="`api` は `-p` なしで動いています。`nft` だけを使って、外線番号 9090 を付けてください。client から `http://203.0.113.10:9090` で "
        "ページが見えるようにします。ホストのポート 80 で見えるようになってはいけません。",
    ),
    prepare=_prepare,
    checks=(
        page("client", "http://203.0.113.10:9090", by="api"),
        no_page("client", "http://203.0.113.10:80"),
        holds(
            both(en="`api` was not started again with `-p`", ja="`api` を `-p` 付きで起動し直していない"),
            _not_published,
            both(
                en="The engine has published a port of `api`; do it by hand.",
                ja="エンジンが `api` のポートを公開しています。手作業で行ってください。",
            ),
        ),
    ),
    hints=(
        both(
            en="Two things were needed in this chapter: the number (rewrite the destination), and the permission.",
            ja="この章で必要だったものは 2 つです。番号(宛先の書き換え)と、許可です。",
        ),
        both(
            en="The rewrite belongs to a chain of type nat at the hook *prerouting*, the permission to `DOCKER-USER`.",
            ja="書き換えは、フック *prerouting* の nat のチェーンに、許可は `DOCKER-USER` に書きます。",
        ),
        both(
            en="`tcp dport 9090 dnat to 172.17.0.2:80`, and `nft add rule ip docker-bridges DOCKER-USER ip daddr 172.17.0.2 tcp dport 80 accept`",
            ja="`tcp dport 9090 dnat to 172.17.0.2:80` と、`nft add rule ip docker-bridges DOCKER-USER ip daddr 172.17.0.2 tcp dport 80 accept` です。",
        ),
    ),
    solution="""\
%%on host
nft add table ip mine
nft add chain ip mine numbers '{ type nat hook prerouting priority dstnat; }'
nft add rule ip mine numbers ip daddr 203.0.113.10 tcp dport 9090 dnat to 172.17.0.2:80
nft add rule ip docker-bridges DOCKER-USER ip daddr 172.17.0.2 tcp dport 80 accept
""",
    other_solution="""\
%%on host
iptables -t nat -A PREROUTING -p tcp --dport 9090 -j DNAT --to-destination 172.17.0.2:80
nft insert rule ip docker-bridges DOCKER-USER ct status dnat accept
""",
    wrong="""\
%%on host
nft add table ip mine
nft add chain ip mine numbers '{ type nat hook prerouting priority dstnat; }'
nft add rule ip mine numbers tcp dport 9090 dnat to 172.17.0.2:80
""",
)
