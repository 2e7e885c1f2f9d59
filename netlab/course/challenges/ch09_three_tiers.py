"""Chapter 09, level 3: the capstone. Three tiers, broken in four places."""

from __future__ import annotations

from netlab.course.checks import no_page, page, silent
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    lab.network("front", subnet="10.81.0.0/24", options={"com.docker.network.bridge.name": "br-front"})
    lab.network("back", subnet="10.82.0.0/24", internal=True, options={"com.docker.network.bridge.name": "br-back"})
    db = lab.run("db", image="nginx", network="back", ip="10.82.0.30")
    app = lab.run("app", image="nginx", network="front", ip="10.81.0.20")
    lab.connect("back", "app", ip="10.82.0.20")
    lab.run("web", image="nginx", network="front", ip="10.81.0.10", publish="8080:80")
    lab.host.nft(
        "flush chain ip docker-bridges nat-port__10.81.0.10\n"
        'add rule ip docker-bridges nat-port__10.81.0.10 iifname != "br-front" tcp dport 8080 dnat to 10.81.0.10:8080\n'
        "flush chain ip docker-bridges nat-postrouting-out__br-front"
    )
    app.nft("flush chain ip docker-dns dns-dnat")
    lab.host.sh(f"ip link set {db.veth} nomaster", check=True)


CHALLENGE = Challenge(
    key="three-tiers",
    chapter="09",
    level=3,
    titles=both(en="Repair: three tiers, four faults", ja="修理: 3 層のシステム、4 つの故障"),
    tasks=both(
        en="The shop is down, and there are four faults in it, each of its own kind. Wanted: the client gets the page of `web` at `http://203.0.113.10:8080`; "
        "`web` reaches `app`, and `app` reaches `db`, by their names; `app` also reaches `http://www.example.com`. "
        "`db` stays shut in: it must not reach the internet, and `web` must not reach it.",
        ja="お店のシステムが止まりました。種類の違う故障が 4 か所あります。目標は次のとおりです。client から `http://203.0.113.10:8080` で `web` のページが見えること。"
        "`web` から `app` へ、`app` から `db` へ、名前で届くこと。`app` からは `http://www.example.com` も見えること。"
        "`db` は閉じ込めたままにします。インターネットへ出られてはならず、`web` から届いてもいけません。",
    ),
    prepare=_prepare,
    checks=(
        page("client", "http://203.0.113.10:8080", by="web"),
        page("web", "http://app", by="app"),
        page("app", "http://db", by="db"),
        page("app", "http://www.example.com"),
        no_page("web", "http://db"),
        no_page("web", "http://10.82.0.30"),
        silent("db", "198.51.100.80"),
    ),
    hints=(
        both(
            en="Take one check at a time, and read the failure. *Refused*: who answered, and at which port? *Could not be resolved*: try the address. "
            "*Silence*: follow the packet with `lab.trace(…)`, or ask `lab.why(…)`. After each repair, look again: behind one fault there may be another.",
            ja="チェックを 1 つずつ取り上げ、失敗の種類を読みましょう。*拒否*なら、誰がどのポートで答えたのか。*名前が引けない*なら、アドレスではどうか。"
            "*無応答*なら、`lab.trace(…)` でパケットを追うか、`lab.why(…)` に聞きます。1 つ直すたびに見直してください。故障の裏に、別の故障が隠れていることがあります。",
        ),
        both(
            en="Four places: the rule behind port 8080 (`nat-port__10.81.0.10`), the cable of `db` (is it plugged into `br-back`? look at the diagram), "
            "the rules inside `app` (`%on app nft list ruleset`), and what happens to the source address on the way out (`nat-postrouting-out__br-front`).",
            ja="4 つの場所があります。ポート 8080 のルール (`nat-port__10.81.0.10`)、`db` のケーブル(`br-back` につながっているか、図を見ましょう)、"
            "`app` の中のルール (`%on app nft list ruleset`)、そして外へ出るときの送信元アドレスの扱い (`nat-postrouting-out__br-front`) です。",
        ),
        both(
            en="`%docker restart web app db` has the engine write three of them anew. The fourth belongs to the network, not to a container: "
            "`nft add rule ip docker-bridges nat-postrouting-out__br-front oifname != br-front ip saddr 10.81.0.0/24 masquerade` on the host.",
            ja="`%docker restart web app db` とすれば、3 つはエンジンが作り直します。残る 1 つはコンテナではなくネットワークのものです。ホストで "
            "`nft add rule ip docker-bridges nat-postrouting-out__br-front oifname != br-front ip saddr 10.81.0.0/24 masquerade` とします。",
        ),
    ),
    solution="""\
%docker restart web app db
%on host nft add rule ip docker-bridges nat-postrouting-out__br-front oifname != br-front ip saddr 10.81.0.0/24 masquerade
""",
    other_solution="""\
%%on host
nft flush chain ip docker-bridges nat-port__10.81.0.10
nft add rule ip docker-bridges nat-port__10.81.0.10 iifname != br-front tcp dport 8080 dnat to 10.81.0.10:80
iptables -t nat -A POSTROUTING -s 10.81.0.0/24 -o eth0 -j MASQUERADE

lab.host.link(lab["db"].veth).attach("br-back")

%%on app
port=$(ss -H -lnu | grep -o '127.0.0.11:[0-9]*' | cut -d : -f 2)
nft add rule ip docker-dns dns-dnat ip daddr 127.0.0.11 udp dport 53 dnat to 127.0.0.11:$port
""",
    wrong="""\
%docker restart web app
%docker network connect front db
%on host nft add rule ip docker-bridges nat-postrouting-out__br-front oifname != br-front masquerade
""",
)
