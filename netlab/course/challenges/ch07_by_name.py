"""Chapter 07, level 1: two running containers that want to call each other by name."""

from __future__ import annotations

from netlab.course.checks import holds, page
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    lab.run("web", image="nginx")
    lab.run("app")


def _share_a_network(lab: Lab) -> bool:
    return bool((set(lab["web"].addresses) & set(lab["app"].addresses)) - {"bridge"})  # type: ignore[attr-defined]  # containers


CHALLENGE = Challenge(
    key="by-name",
    chapter="07",
    level=1,
    titles=both(en="Call me by my name", ja="名前で呼び合う"),
    tasks=both(
        en="`web` and `app` run on docker0, where names do not work. Make `http://web` work from `app`, without stopping either of them, "
        "and without writing any address down.",
        ja="`web` と `app` は docker0 で動いていて、名前では通信できません。どちらも止めず、アドレスをどこにも書かずに、`app` から `http://web` が見えるようにしてください。",
    ),
    prepare=_prepare,
    checks=(
        holds(
            both(
                en="`web` and `app` share a user-defined network",
                ja="`web` と `app` が、同じユーザー定義ネットワークにつながっている",
            ),
            _share_a_network,
            both(
                en="There is no user-defined network with both of them.",
                ja="2 つともつながっているユーザー定義ネットワークがありません。",
            ),
        ),
        page("app", "http://web", by="web"),
    ),
    hints=(
        both(
            en="Where do names work? And can a running container move there?",
            ja="名前が使えるのはどこでしょうか。動いているコンテナを、そこへつなげるでしょうか。",
        ),
        both(
            en="`docker network create …`, and `docker network connect …` once for each container.",
            ja="`docker network create …` と、コンテナごとに `docker network connect …` を使います。",
        ),
        both(
            en="`%docker network create friends`, `%docker network connect friends web`, `%docker network connect friends app`",
            ja="`%docker network create friends`、`%docker network connect friends web`、`%docker network connect friends app` とします。",
        ),
    ),
    solution="""\
%%docker
network create friends
network connect friends web
network connect friends app
""",
    other_solution="""\
lab.network("friends", subnet="10.70.0.0/24")
for name in ("web", "app"):
    lab.connect("friends", name)
    lab.disconnect("bridge", name)
""",
    wrong="""\
%on app echo "172.17.0.2 web" >> /etc/hosts
""",
)
