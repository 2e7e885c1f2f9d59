"""Chapter 04, level 3: a bridge on which somebody tidied up."""

from __future__ import annotations

from netlab.course.checks import answers, page
from netlab.course.definition import Challenge, both
from netlab.lab import Lab


def _prepare(lab: Lab) -> None:
    lab.run("web", image="nginx")
    lab.run("app")
    lab.host.sh(f"ip link set {lab.containers['app'].veth} nomaster", check=True)
    lab.host.sh("ip address delete 172.17.0.1/16 dev docker0", check=True)


CHALLENGE = Challenge(
    key="lost-gateway",
    chapter="04",
    level=3,
    titles=both(en="Repair: somebody tidied up the bridge", ja="修理: 誰かがブリッジを「整理」した"),
    tasks=both(
        en="Since somebody has tidied up on the host, `app` gets no page from `web`, and `web` reaches nothing outside. The containers "
        "themselves have not been touched. Repair what is broken on the host, without starting the containers again.",
        ja="誰かがホストを「整理」してから、`app` からは `web` のページが見えず、`web` からは外部のどこにも届きません。コンテナ自体には誰も触れていません。"
        "コンテナを再起動せずに、ホストの故障を直してください。",
    ),
    prepare=_prepare,
    checks=(
        page("app", "http://172.17.0.2", by="web"),
        answers("web", "172.17.0.1"),
        answers("web", "198.51.100.80"),
        answers("app", "198.51.100.80"),
    ),
    hints=(
        both(
            en="The bridge has two jobs: it connects its ports, and it is the gateway. Which of the two is broken for `app`, and which for `web`?",
            ja="ブリッジの役割は、ポート同士をつなぐことと、ゲートウェイになることです。`app` では、`web` では、どちらが壊れているでしょうか。",
        ),
        both(
            en="`ip link show master docker0` lists the ports; `ip address show docker0` shows the gateway's address.",
            ja="`ip link show master docker0` でポートの一覧が、`ip address show docker0` でゲートウェイのアドレスが分かります。",
        ),
        both(
            en="`ip link set vethXXXXXXX master docker0` for the cable that is on no bridge, and `ip address add 172.17.0.1/16 dev docker0`.",
            ja="どのブリッジにもつながっていないケーブルに `ip link set vethXXXXXXX master docker0` を、そして `ip address add 172.17.0.1/16 dev docker0` を実行します。",
        ),
    ),
    solution="""\
lab.host.link(lab["app"].veth).attach("docker0")
lab.host.link("docker0").add_address("172.17.0.1/16")
""",
    other_solution="""\
%%on host
for one in $(ip -o link show type veth | grep -v master | grep -o 'veth[0-9a-f]*'); do
    ip link set $one master docker0
done
ip address add 172.17.0.1/16 dev docker0
""",
    wrong="%on host ip address add 172.17.0.1/16 dev docker0\n",
)
