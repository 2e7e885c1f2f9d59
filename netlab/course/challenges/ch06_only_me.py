"""Chapter 06, level 1: a port for the host alone."""

from __future__ import annotations

from netlab.course.checks import no_page, page
from netlab.course.definition import Challenge, both

CHALLENGE = Challenge(
    key="only-me",
    chapter="06",
    level=1,
    titles=both(en="For the host alone", ja="ホスト専用の番号"),
    tasks=both(
        en="Start a container `api` from the image `nginx`, so that the host gets its page at `http://127.0.0.1:8080`, and nobody gets it at the "
        "host's outside address `203.0.113.10`.",
        ja="イメージ `nginx` からコンテナ `api` を起動し、ホストからは `http://127.0.0.1:8080` でページが見え、外向きのアドレス "
        "`203.0.113.10` では誰からも見えないようにしてください。",
    ),
    checks=(
        page("host", "http://127.0.0.1:8080", by="api"),
        no_page("client", "http://203.0.113.10:8080"),
        no_page("host", "http://203.0.113.10:8080"),
    ),
    hints=(
        both(
            en="`-p` has three forms. One of them names an address of the host.",
            ja="`-p` には 3 つの書き方があります。そのうちの 1 つでは、ホストのアドレスを指定します。",
        ),
        both(
            en="The address by which only the host itself can call is its loopback's, `127.0.0.1`.",
            ja="ホスト自身だけが使えるアドレスは、ループバックの `127.0.0.1` です。",
        ),
        both(
            en="`%docker run -d --name api -p 127.0.0.1:8080:80 nginx`",
            ja="`%docker run -d --name api -p 127.0.0.1:8080:80 nginx` とします。",
        ),
    ),
    solution="%docker run -d --name api -p 127.0.0.1:8080:80 nginx\n",
    other_solution='lab.run("api", image="nginx", publish="127.0.0.1:8080:80")\n',
    wrong="%docker run -d --name api -p 8080:80 nginx\n",
)
