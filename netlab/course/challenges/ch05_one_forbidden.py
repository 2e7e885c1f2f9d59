"""Chapter 05, level 2: one container, one destination, one rule."""

from __future__ import annotations

from netlab.course.checks import answers, silent
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    lab.run("app")
    lab.run("web", image="nginx")


CHALLENGE = Challenge(
    key="one-forbidden",
    chapter="05",
    level=2,
    titles=both(en="One destination is forbidden", ja="1 つの宛先だけを禁止する"),
    tasks=both(
        en="With `nft` on the host: `app` (`172.17.0.2`) must not reach `198.51.100.53` any more. Everything else goes on as before: `app` reaches "
        "`198.51.100.80`, and `web` reaches both.",
        ja="ホストで `nft` を使い、`app` (`172.17.0.2`) から `198.51.100.53` に届かないようにしてください。ほかはそのままです。`app` から "
        "`198.51.100.80` へは届き、`web` からは両方に届きます。",
    ),
    prepare=_prepare,
    checks=(
        silent("app", "198.51.100.53"),
        answers("app", "198.51.100.80"),
        answers("web", "198.51.100.53"),
        answers("web", "198.51.100.80"),
    ),
    hints=(
        both(
            en="The packet of `app` is on its way through the host: it is neither for the host nor from it. Which hook does it pass?",
            ja="`app` のパケットは、ホストを通り抜けます。ホスト宛てでも、ホスト発でもありません。どのフックを通るでしょうか。",
        ),
        both(
            en="At *forward* both addresses are still the container's and the destination's. The engine leaves `DOCKER-USER` for your rules.",
            ja="*forward* の時点では、送信元はまだコンテナ、宛先は本来の宛先です。自分のルールのために、エンジンは `DOCKER-USER` を用意しています。",
        ),
        both(
            en="`nft insert rule ip docker-bridges DOCKER-USER ip saddr 172.17.0.2 ip daddr 198.51.100.53 drop`",
            ja="`nft insert rule ip docker-bridges DOCKER-USER ip saddr 172.17.0.2 ip daddr 198.51.100.53 drop` とします。",
        ),
    ),
    solution="%on host nft insert rule ip docker-bridges DOCKER-USER ip saddr 172.17.0.2 ip daddr 198.51.100.53 drop\n",
    other_solution="""\
%%on host
nft add table ip guard
nft add chain ip guard passing '{ type filter hook forward priority -10; }'
nft add rule ip guard passing ip saddr 172.17.0.2 ip daddr 198.51.100.53 drop
""",
    wrong="""\
%%on host
nft add table ip guard
nft add chain ip guard passing '{ type filter hook forward priority -10; }'
nft add rule ip guard passing ip daddr 198.51.100.53 drop
""",
)
