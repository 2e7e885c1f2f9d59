"""Chapter 07, level 3: addresses work, names do not."""

from __future__ import annotations

from netlab.course.checks import answers, page
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    lab.network("my-network")
    lab.run("web", image="nginx", network="my-network")
    lab.run("app", network="my-network")
    lab["app"].nft("flush chain ip docker-dns dns-dnat")


CHALLENGE = Challenge(
    key="no-names",
    chapter="07",
    level=3,
    titles=both(en="Repair: nobody answers to a name", ja="修理: 名前を呼んでも返事がない"),
    tasks=both(
        en="`app` and `web` are on `my-network`. Since this morning `app` reaches `web` by its address only: every name fails, even `www.example.com`. "
        "Find out where the question gets lost, and make names work again. (Starting `app` again is allowed; understanding why that helps is better.)",
        ja="`app` と `web` は `my-network` にあります。今朝から、`app` は `web` にアドレスでしか届きません。`www.example.com` も含めて、どの名前も引けません。"
        "質問がどこで消えるのかを突き止め、名前が使えるようにしてください(`app` を再起動してもかまいません。なぜ直るのかが分かれば、なお良し)。",
    ),
    prepare=_prepare,
    checks=(
        answers("app", "172.18.0.2"),
        page("app", "http://web", by="web"),
        page("app", "http://www.example.com"),
    ),
    hints=(
        both(
            en="`resolv.conf` says 127.0.0.11, port 53. Who listens there? And how does a question get from there to the resolver?",
            ja="`resolv.conf` には 127.0.0.11 とあり、ポートは 53 です。そこで待ち受けているのは誰でしょうか。質問は、どうやってそこからリゾルバーに届くのでしょうか。",
        ),
        both(
            en="Compare `%on web nft list ruleset` with `%on app nft list ruleset`.",
            ja="`%on web nft list ruleset` と `%on app nft list ruleset` を見比べましょう。",
        ),
        both(
            en="The rules of `dns-dnat` are gone. The engine writes them when a container starts: `%docker restart app`.",
            ja="`dns-dnat` のルールがなくなっています。エンジンは、コンテナを起動するときにそれを書きます。`%docker restart app` とします。",
        ),
    ),
    solution="%docker restart app\n",
    other_solution="""\
lab.rm("app")
lab.run("app", network="my-network")
""",
    wrong='%on app echo "nameserver 198.51.100.53" > /etc/resolv.conf\n',
)
