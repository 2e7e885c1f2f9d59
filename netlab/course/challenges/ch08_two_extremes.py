"""Chapter 08, level 1: no network at all, and the host's own."""

from __future__ import annotations

from netlab.course.checks import holds, page
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _only_lo(lab: Lab) -> bool:
    return [one.name for one in lab["batch"].interfaces] == ["lo"] and lab["batch"].inode != lab.host.inode


def _of_the_host(lab: Lab) -> bool:
    return lab["fast"].inode == lab.host.inode


CHALLENGE = Challenge(
    key="two-extremes",
    chapter="08",
    level=1,
    titles=both(en="The two extremes", ja="両極端"),
    tasks=both(
        en="Start two containers: `batch`, which talks to nobody, and `fast` from the image `nginx`, whose page the client gets at `http://203.0.113.10` "
        "without any port mapping.",
        ja="コンテナを 2 つ起動してください。誰とも通信しない `batch` と、イメージ `nginx` の `fast` です。`fast` のページは、ポートマッピングなしで、"
        "client から `http://203.0.113.10` で見えるようにします。",
    ),
    checks=(
        holds(
            both(
                en="`batch` has a namespace of its own, with nothing but `lo`",
                ja="`batch` は独自の名前空間を持ち、`lo` しかない",
            ),
            _only_lo,
            both(
                en="`batch` has more than `lo`, or shares the host's namespace.",
                ja="`batch` に `lo` 以外があるか、ホストの名前空間を使っています。",
            ),
        ),
        holds(
            both(en="`fast` is in the host's namespace", ja="`fast` がホストの名前空間にいる"),
            _of_the_host,
            both(
                en="`fast` has a network namespace of its own.", ja="`fast` が独自の Network namespace を持っています。"
            ),
        ),
        page("client", "http://203.0.113.10", by=None),
    ),
    hints=(
        both(en="Each of the two is one driver of this chapter.", ja="どちらも、この章のドライバの 1 つです。"),
        both(en="`--network none` and `--network host`.", ja="`--network none` と `--network host` を使います。"),
        both(
            en="`%docker run -d --name batch --network none myapp` and `%docker run -d --name fast --network host nginx`",
            ja="`%docker run -d --name batch --network none myapp` と `%docker run -d --name fast --network host nginx` とします。",
        ),
    ),
    solution="""\
%%docker
run -d --name batch --network none myapp
run -d --name fast --network host nginx
""",
    other_solution="""\
lab.run("batch", network="none")
lab.run("fast", image="nginx", network="host")
""",
    wrong="""\
%%docker
run -d --name batch --network none myapp
run -d --name fast -p 80:80 nginx
""",
)
