"""Chapter 06, level 3: the customers say that the shop is down."""

from __future__ import annotations

from netlab.course.checks import page
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    lab.run("shop", image="nginx", publish="8080:80")
    lab.host.nft(
        "flush chain ip docker-bridges nat-port__172.17.0.2\n"
        'add rule ip docker-bridges nat-port__172.17.0.2 iifname != "docker0" tcp dport 8080 dnat to 172.17.0.2:8080\n'
        "insert rule ip docker-bridges DOCKER-USER ip daddr 172.17.0.2 tcp dport 80 drop"
    )


CHALLENGE = Challenge(
    key="shop-is-down",
    chapter="06",
    level=3,
    titles=both(en="Repair: the shop is down", ja="修理: お店につながらない"),
    tasks=both(
        en="Customers say that the shop at `http://203.0.113.10:8080` is down. The container `shop` runs and is well: ask `http://172.17.0.2` from the host. "
        "Bring the page back to the client.",
        ja="`http://203.0.113.10:8080` のお店につながらない、と客から苦情が来ました。コンテナ `shop` は正常に動いています(ホストから `http://172.17.0.2` を開いてみてください)。"
        "client からページが見えるようにしてください。",
    ),
    prepare=_prepare,
    checks=(page("client", "http://203.0.113.10:8080", by="shop"), page("host", "http://172.17.0.2", by="shop")),
    hints=(
        both(
            en="A call from outside needs a number and a permission. Either may be wrong, or both: repair one, and look whether the failure changes.",
            ja="外からの電話には、番号と許可が必要です。どちらか、または両方がおかしいのかもしれません。1 つ直したら、失敗の仕方が変わるかどうかを見ましょう。",
        ),
        both(
            en="Read the rule behind the port, `nft list chain ip docker-bridges nat-port__172.17.0.2`, and the chain that is asked first, `DOCKER-USER`.",
            ja="ポートのルール `nft list chain ip docker-bridges nat-port__172.17.0.2` と、最初に調べられるチェーン `DOCKER-USER` を読みましょう。",
        ),
        both(
            en="`docker restart shop` has the engine write its rule again; `nft -a list chain ip docker-bridges DOCKER-USER` tells the handle for `nft delete rule … handle N`.",
            ja="`docker restart shop` とすれば、エンジンがルールを書き直します。`nft -a list chain ip docker-bridges DOCKER-USER` で handle を調べ、`nft delete rule … handle N` で消します。",
        ),
    ),
    solution="""\
%docker restart shop
%on host nft flush chain ip docker-bridges DOCKER-USER
""",
    other_solution="""\
%%on host
nft flush chain ip docker-bridges nat-port__172.17.0.2
nft add rule ip docker-bridges nat-port__172.17.0.2 iifname != docker0 tcp dport 8080 counter dnat to 172.17.0.2:80
nft insert rule ip docker-bridges DOCKER-USER ip daddr 172.17.0.2 tcp dport 80 accept
""",
    wrong="%docker restart shop\n",
)
