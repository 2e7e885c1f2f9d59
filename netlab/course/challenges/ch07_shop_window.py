"""Chapter 07, level 2: who may talk to whom."""

from __future__ import annotations

from netlab.course.checks import no_page, page
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    lab.network("front", subnet="10.71.0.0/24")
    lab.network("back", subnet="10.72.0.0/24")
    lab.run("web", image="nginx", network="front", ip="10.71.0.10")
    lab.run("db", image="nginx", network="back", ip="10.72.0.10")
    lab.run("app", image="nginx", network="front", ip="10.71.0.20")


CHALLENGE = Challenge(
    key="shop-window",
    chapter="07",
    level=2,
    titles=both(en="Shop window and storeroom", ja="店先と倉庫"),
    tasks=both(
        en="A shop: `web` is on the network `front`, `db` on `back`. `app` must reach both by their names. `web` must not reach `db`, neither by name nor by "
        "its address `10.72.0.10`.",
        ja="お店のシステムです。`web` はネットワーク `front`、`db` は `back` にあります。`app` からは、両方に名前で届くようにしてください。"
        "`web` から `db` へは、名前でもアドレス `10.72.0.10` でも届いてはいけません。",
    ),
    prepare=_prepare,
    checks=(
        page("app", "http://web", by="web"),
        page("app", "http://db", by="db"),
        no_page("web", "http://db"),
        no_page("web", "http://10.72.0.10"),
    ),
    hints=(
        both(
            en="A container may be on several networks. Which one of the three should be on two?",
            ja="1 つのコンテナが、複数のネットワークにつながることもできます。2 つにつながるべきなのは、どれでしょうか。",
        ),
        both(
            en="If `web` were on `back` as well, it would reach `db`. Put only what belongs together on one network.",
            ja="`web` も `back` につなぐと、`db` に届いてしまいます。同じネットワークには、仲間だけを置きます。",
        ),
        both(en="`%docker network connect back app`", ja="`%docker network connect back app` とします。"),
    ),
    solution="%docker network connect back app\n",
    other_solution="""\
lab.rm("app")
lab.run("app", image="nginx", network="back")
lab.connect("front", "app")
""",
    wrong="%docker network connect front db\n",
)
