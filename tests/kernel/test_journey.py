"""Journeys: every hop that a probe takes is told in order, as tcpdump, nft and conntrack see it too."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from outside import children, wait_until
from witnesses import background, hops, traces_are_heard, witnesses

from netlab.errors import NotFound, RequestError

pytestmark = pytest.mark.kernel


def kinds(journey, way="there", leg="request"):
    return [step.kind for step in journey if (step.way, step.leg) == (way, leg)]


def chains(journey, way="there"):
    return {met.chain for step in journey if step.way == way for met in step.rules}


# ── ways that lead there, each as tcpdump sees it ──────────────────────────────────────────────────────────────────


def on_docker0(lab):
    lab.run("app")
    return "app", f"http://{lab.run('web', image='nginx').address}", ["app", "host", "web"]


def by_name_on_a_network(lab):
    lab.network("shop")
    lab.run("web", image="nginx", network="shop")
    lab.run("app", network="shop")
    return "app", "http://web", ["app", "host", "web"]


def on_an_internal_network(lab):
    lab.network("inner", internal=True)
    lab.run("web", image="nginx", network="inner")
    lab.run("app", network="inner")
    return "app", "http://web", ["app", "host", "web"]


def out_to_the_internet(lab):
    lab.run("app")
    return "app", "http://www.example.com", ["app", "host", "router", "www"]


def in_from_the_internet(lab):
    lab.run("web", image="nginx", publish="8080:80")
    return "client", "http://203.0.113.10:8080", ["client", "router", "host", "web"]


def from_the_host(lab):
    return "host", f"http://{lab.run('web', image='nginx').address}", ["host", "web"]


def with_the_hosts_network(lab):
    web = lab.run("web", image="nginx")
    lab.run("open", network="host")
    return "open", f"http://{web.address}", ["host", "web"]


def with_another_containers_network(lab):
    web = lab.run("web", image="nginx")
    lab.run("app")
    lab.run("guest", network="container:app")
    return "guest", f"http://{web.address}", ["app", "host", "web"]


def over_macvlan(lab):
    options = {"parent": "eth0"}
    lab.network("lan", driver="macvlan", subnet="203.0.113.0/24", gateway="203.0.113.1",
                ip_range="203.0.113.192/27", options=options)  # fmt: skip
    lab.run("app", network="lan")
    return "app", "http://198.51.100.80", ["app", "host", "router", "www"]


def hairpin(lab):
    web = lab.run("web", image="nginx")
    lab.run("app")
    lab.host.nft(
        f"""table ip hairpin {{
            chain before {{ type nat hook prerouting priority -101;
                ip daddr 203.0.113.10 tcp dport 9090 dnat to {web.address}:80
            }}
            chain after {{ type nat hook postrouting priority 99;
                ip saddr 172.17.0.0/16 ip daddr {web.address} tcp dport 80 masquerade
            }}
        }}"""
    )
    return "app", "http://203.0.113.10:9090", ["app", "host", "web"]


def through_docker_proxy(lab):
    lab.run("web", image="nginx", publish="8080:80")
    lab.run("app")
    return "app", "http://203.0.113.10:8080", ["app", "host", "web"]


WAYS = [
    on_docker0, by_name_on_a_network, on_an_internal_network, out_to_the_internet, in_from_the_internet, from_the_host,
    through_docker_proxy, with_the_hosts_network, with_another_containers_network, over_macvlan, hairpin,
]  # fmt: skip


@pytest.mark.parametrize("build", WAYS)
def test_every_hop_is_told_in_order_as_tcpdump_sees_it(build, lab, tmp_path):
    source, target, places = build(lab)
    with witnesses([lab[name] for name in dict.fromkeys(places)], tmp_path) as seen:
        journey = lab.trace(source, target)
        assert journey.ok, journey
        assert journey.places == places
        there, back = hops(journey), hops(journey, "back")
        assert seen("S", len(there)) == there
        assert seen("S.", len(back)) == back
    assert journey.outcome.status == "HTTP/1.1 200 OK"
    inferred = [step for step in journey if step.evidence == "inferred"]
    assert bool(inferred) == (build is through_docker_proxy)  # nothing tells that its two connections belong together
    assert "deliver" in kinds(journey)
    assert "deliver" in kinds(journey, "back")


def test_an_overlay_network_is_told_with_its_tunnel(make_lab, tmp_path):
    lab = make_lab(hosts=2)
    lab.network("ov", driver="overlay")
    lab.run("app", network="ov")
    lab.run("web", image="nginx", network="ov", host="host2")
    with background(
        lab["router"], "exec tcpdump -n -l --immediate-mode -i any udp port 4789", "listening on", tmp_path
    ) as heard:
        journey = lab.trace("app", "http://web")
        wait_until(lambda: "VXLAN" in heard())
    assert journey.ok, journey
    (wrapped,) = [step for step in journey if step.kind == "encapsulate" and step.way == "there"]
    (unwrapped,) = [step for step in journey if step.kind == "decapsulate" and step.way == "there"]
    number = wrapped.packet.headers.network
    assert f"vni {number}" in heard()
    assert (wrapped.place, "203.0.113.11" in wrapped.text) == ("host", True)
    assert unwrapped.number > wrapped.number
    assert journey.places[0], journey.places[-1] == ("app", "web")


# ── what else is told ──────────────────────────────────────────────────────────────────────────────────────────────


def test_rules_and_verdicts_are_those_that_nft_monitor_reports(lab, tmp_path):
    """A rule of the test's own traces the same packets; `nft monitor trace` is the witness."""
    lab.run("web", image="nginx", publish="8080:80")
    lab.host.nft(
        """table inet witness { chain before { type filter hook prerouting priority -400;
            tcp dport 8080 meta nftrace set 1
        }; }"""
    )
    with background(lab.host, "exec nft monitor trace", "", tmp_path) as heard:
        wait_until(lambda: traces_are_heard(lab))
        journey = lab.trace("client", "http://203.0.113.10:8080")
        wait_until(lambda: "nat-port__172.17.0.2" in heard() and "filter-forward-port" in heard())
        time.sleep(0)
        said = heard()
    reported = set(re.findall(r"ip docker-bridges (\S+) rule .* \(verdict (\w+)", said))
    told = {
        (met.chain, met.verdict.split()[0])
        for step in journey
        if step.place == "host" and step.way == "there"
        for met in step.rules
        if met.table == "docker-bridges" and met.handle and met.verdict != "continue"
    }
    assert told
    assert told <= reported


def test_translation_is_told_with_its_rule_and_the_entry_that_conntrack_has(lab, tmp_path):
    lab.run("app")
    with background(lab.host, "exec stdbuf -oL conntrack -E -e NEW -p tcp", "", tmp_path) as heard:
        wait_until(lambda: traces_are_heard(lab))
        journey = lab.trace("app", "http://198.51.100.80")
        wait_until(lambda: "NEW" in heard())
    (nat,) = [step for step in journey if step.kind == "nat" and step.way == "there"]
    assert [(one.field, one.before, one.after) for one in nat.changes] == [("source", "172.17.0.2", "203.0.113.10")]
    assert nat.rules[0].comment == "MASQUERADE"
    assert nat.rules[0].iptables.startswith("iptables -t nat -A POSTROUTING")
    (noted,) = [step for step in journey if step.kind == "conntrack" and step.place == "host"]
    port = noted.connection.original.source_port
    assert f"src=172.17.0.2 dst=198.51.100.80 sport={port} dport=80" in heard()
    assert f"dst=203.0.113.10 sport=80 dport={noted.connection.reply.destination_port}" in heard()
    (undone,) = [step for step in journey if step.kind == "nat" and step.way == "back"]
    assert [(one.field, one.after) for one in undone.changes] == [("destination", "172.17.0.2")]


def test_the_bridges_decision_is_that_of_its_forwarding_table(lab):
    web = lab.run("web", image="nginx")
    lab.run("app")
    journey = lab.trace("app", f"ping {web.address}")
    decision = next(step for step in journey if step.kind == "bridge" and step.way == "there")
    found = json.loads(lab.host.sh("bridge -j fdb show br docker0", check=True).stdout)
    mac = json.loads(web.sh("ip -j link show eth0", check=True).stdout)[0]["address"]
    port = next(one["ifname"] for one in found if one["mac"] == mac)
    assert mac in decision.text
    assert port in decision.text
    assert decision.evidence == "asked"


def test_a_lookup_is_told_question_and_answer(lab):
    lab.network("shop")
    lab.run("web", image="nginx", network="shop")
    lab.run("app", network="shop")
    journey = lab.trace("app", "http://web")
    asked, *_, answered = [step for step in journey if step.leg == "lookup"]
    assert "127.0.0.11" in asked.text
    assert "172.18.0.2" in answered.text
    assert "nat" in kinds(journey, "there", "lookup")  # 127.0.0.11:53 is the resolver's own port
    literal = lab.trace("app", "ping 172.18.0.2")
    assert not [step for step in literal if step.leg == "lookup"]


def test_a_question_is_opened_as_dns_whatever_port_the_resolver_has(lab):
    lab.network("shop")
    lab.run("web", image="nginx", network="shop")
    lab.run("app", network="shop")
    journey = lab.trace("app", "http://web")
    asked = [one.layers() for one in journey if one.leg == "lookup" and one.packet]
    assert {one["DNS"].qd[0].qname for one in asked} == {b"web."}
    assert "qname" in journey._repr_html_()


def test_a_question_that_is_asked_further_up_is_followed(lab):
    lab.network("shop")
    lab.run("app", network="shop")
    journey = lab.trace("app", "ping www.example.com")
    assert journey.ok, journey
    assert "dns" in {step.place for step in journey if step.leg == "lookup"}


def test_icmp_and_udp(lab, tmp_path):
    web, app = lab.run("web", image="nginx"), lab.run("app")
    assert lab.trace("app", web).ok
    assert lab.trace("app", f"ping {web.address}").places == ["app", "host", "web"]
    with background(web, "exec nc -u -lk -p 99", "", tmp_path):
        wait_until(lambda: any(one.port == 99 for one in web.sockets))
        journey = lab.trace(app, f"udp:{web.address}:99")
    assert journey.ok
    assert journey.delivered


def test_ipv6(lab):
    lab.network("six", ipv6=True)
    web = lab.run("web", image="nginx", network="six")
    lab.run("app", network="six")
    (address,) = [
        one.address for link in web.interfaces for one in link.addresses if (one.family, one.scope) == (6, "global")
    ]
    for target in (f"ping {address}", f"http://[{address}]"):
        journey = lab.trace("app", target)
        assert journey.ok, journey
        assert journey.places == ["app", "host", "web"]
    assert lab.trace("app", f"tcp:{address}:81").reason.code == "port-closed"


# ── a journey as data, and what it leaves ──────────────────────────────────────────────────────────────────────────


def test_a_journey_is_data_a_file_and_a_page(lab, tmp_path):
    web = lab.run("web", image="nginx")
    lab.run("app")
    journey = lab.trace("app", f"http://{web.address}")
    told = json.loads(journey.json())
    assert told["ok"] is True
    assert [step["number"] for step in told["steps"]] == list(range(1, len(journey) + 1))
    assert told["edges"][0] == [
        "interface/app/eth0", f"interface/host/{lab['app'].veth}", f"interface/host/{web.veth}", "interface/web/eth0",
    ]  # fmt: skip
    assert all(step.command for step in journey)
    step = next(one for one in journey if one.kind == "out")
    assert step.layers()["TCP"].dport == 80
    path = journey.pcapng(tmp_path / "journey.pcapng")
    read = subprocess.run(["tcpdump", "-n", "-r", path], capture_output=True, text=True, check=True).stdout
    assert "Flags [S]" in read
    assert b"app/eth0" in path.read_bytes()
    assert f"{step.number}. app: ".encode() in path.read_bytes()
    page = journey._repr_html_()
    opened = sum(one.packet is not None for one in journey)
    assert page.count("<details") == len(journey) + opened
    assert page.count("<b>Ethernet</b>") == opened >= page.count("<b>TCP</b>") > 0  # ARP has none
    assert "<script" not in page
    lab.host.nft("table ip away { chain c { type nat hook postrouting priority 90; masquerade\n }; }")
    assert "<mark" in lab.trace("app", "http://198.51.100.80")._repr_html_()


def test_tracing_leaves_nothing(lab):
    lab.run("web", image="nginx")
    lab.run("app")
    places = [lab[name] for name in ("host", "router", "client", "www", "dns", "web", "app")]
    looks = "nft list ruleset; cat /proc/net/packet; awk '$2 == 12' /proc/net/netlink"
    lab.trace("app", "http://172.17.0.2")
    before = {place.name: traces(place, looks) for place in places}
    lab.trace("app", "http://172.17.0.2")
    lab.trace("app", "ping 172.17.0.99", timeout=0.3)
    assert {place.name: traces(place, looks) for place in places} == before
    for place in places:
        assert "netlab-trace" not in place.sh("nft list tables").stdout
        assert len(place.sh("cat /proc/net/packet").stdout.splitlines()) == 1  # its heading


def traces(place, command):
    return re.sub(r"packets \d+ bytes \d+", "", place.sh(command).stdout)


def test_an_interrupt_leaves_nothing_either(lab):
    lab.run("app")
    main = threading.main_thread().ident
    timer = threading.Timer(0.5, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        lab.trace("app", "ping 172.17.0.99", timeout=20)
    timer.join()
    assert "netlab-trace" not in lab.host.sh("nft list tables").stdout
    assert len(lab.host.sh("cat /proc/net/packet").stdout.splitlines()) == 1
    assert lab.trace("app", "ping 172.17.0.1").ok


def test_two_at_once_do_not_mix(lab):
    web = lab.run("web", image="nginx")
    lab.run("one")
    lab.run("two")
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda name: lab.trace(name, f"http://{web.address}"), ("one", "two"))
    assert (first.places, second.places) == (["one", "host", "web"], ["two", "host", "web"])
    assert (first.ok, second.ok) == (True, True)


def test_it_takes_no_longer_than_half_a_second(lab):
    lab.network("shop")
    lab.run("web", image="nginx", network="shop")
    lab.run("app", network="shop")
    for target in ("http://web", "http://www.example.com"):
        took = []
        for _ in range(3):
            began = time.monotonic()
            assert lab.trace("app", target).ok
            took.append(time.monotonic() - began)
        assert min(took) < 0.5, (target, took)


@pytest.mark.parametrize("target", ["", "web:port", "tcp:web:0", "http://", "ping a b", "udp:web:70000"])
def test_what_is_no_target_is_refused(lab, target):
    with pytest.raises(RequestError, match="is no target"):
        lab.trace("host", target)


def test_an_unknown_place_is_refused(lab):
    with pytest.raises(NotFound, match="nobody"):
        lab.trace("nobody", "ping 203.0.113.1")


def test_a_probe_is_sockets_not_processes(lab):
    (agent,) = children(lab.world.sandbox.pid)
    before = set(children(agent))
    lab.trace("host", "ping 203.0.113.1")
    wait_until(lambda: set(children(agent)) == before)  # what listed the rules has ended a moment later
