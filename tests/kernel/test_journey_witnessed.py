"""Where a packet dies: tcpdump on every interface saw it on those that the journey tells of, and nowhere after that."""

from __future__ import annotations

import re

import pytest
from outside import wait_until
from test_journey import WAYS
from witnesses import background, hops, traces_are_heard, witnesses

pytestmark = pytest.mark.kernel

_WWW = "http://198.51.100.80"


@pytest.fixture
def street(lab):
    """A lab with a web server, a container beside it, and one on another network."""
    lab.run("web", image="nginx", publish="8080:80")
    lab.run("app")
    lab.network("shop")
    lab.run("other", network="shop")
    return lab


# what is broken, where and how; who asks for what; how far it gets, and why no further
FAULTS = {
    "isolation": ("host", "true", "other", "http://{web}", "rule-dropped", ["other", "host"]),
    "a rule that drops": (
        "host", "iptables -I DOCKER-USER -s {app} -j DROP", "app", _WWW, "rule-dropped", ["app", "host"],
    ),
    "a rule that drops what comes back": (
        "host", "iptables -I DOCKER-USER -d {app} -p tcp --sport 80 -j DROP", "app", _WWW, "rule-dropped",
        ["app", "host", "router", "www"],
    ),
    "a policy": (
        "web", "nft add table inet t; nft 'add chain inet t c {{ type filter hook input priority 0; policy drop; }}'",
        "app", "http://{web}", "policy-dropped", ["app", "host", "web"],
    ),
    "no route": ("app", "ip route delete default", "app", _WWW, "no-route", ["app"]),
    "no route back": (
        "web", "ip route delete default", "client", "http://203.0.113.10:8080", "no-route",
        ["client", "router", "host", "web"],
    ),
    "no forwarding": ("host", "sysctl -w net.ipv4.ip_forward=0", "app", _WWW, "not-forwarding", ["app", "host"]),
    "no masquerade": (
        "host", "nft flush chain ip docker-bridges nat-postrouting-out__docker0", "app", _WWW, "route-refuses",
        ["app", "host", "router", "www"],
    ),
    "the reverse path": (
        "host", "sysctl -w net.ipv4.conf.all.rp_filter=1; ip route add 203.0.113.50/32 dev docker0",
        "client", "http://203.0.113.10:8080", "reverse-path", ["client", "router", "host"],
    ),
    "ARP unanswered": (
        "app", "ip neigh flush dev eth0; ip address add 172.17.0.99/16 dev eth0", "app", "http://172.17.0.98",
        "arp-unanswered", ["app"],
    ),
    "an address taken away": (
        "web", "ip address flush dev eth0", "app", "http://{web}", "address-missing", ["app", "host", "web"],
    ),
    "a link down": ("web", "ip link set eth0 down", "app", "http://{web}", "link-down", ["app", "host"]),
    "the port is closed": ("web", "true", "app", "tcp:{web}:81", "port-closed", ["app", "host", "web"]),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_packet_that_dies_was_seen_as_far_as_its_journey_tells(street, tmp_path, name):
    place, command, source, target, why, reached = FAULTS[name]
    addresses = {one: street[one].address for one in ("web", "app")}
    assert street["app"].ping(addresses["web"]).ok  # so that neighbours know each other
    assert street.internet.ping("203.0.113.10").ok
    street[place].sh(command.format(**addresses), check=True)
    everywhere = [street[one] for one in ("app", "other", "web", "host", "router", "client", "www")]
    with witnesses(everywhere, tmp_path) as seen:
        journey = street.trace(source, target.format(**addresses), timeout=0.6)
        assert journey.reason is not None, journey
        there, back = hops(journey), [one for one in hops(journey, "back") if name != "the port is closed"]
        assert seen("S", len(there)) == there
        assert seen("S.", len(back)) == back
    assert journey.reason.code == why
    assert journey.places == reached


def test_the_rule_that_keeps_networks_apart_is_that_which_nft_monitor_names(street, tmp_path):
    street.host.nft("table inet witness { chain before { type filter hook prerouting priority -400; "
                    "tcp dport 80 meta nftrace set 1\n }; }")  # fmt: skip
    with background(street.host, "exec nft monitor trace", "", tmp_path) as heard:
        wait_until(lambda: traces_are_heard(street))
        journey = street.trace("other", f"http://{street['web'].address}", timeout=0.5)
        wait_until(lambda: "verdict drop" in heard())
    (dropped,) = re.findall(r"(\S+) (\S+) (\S+) rule .*comment \"(.*)\" \(verdict drop\)", heard())
    (met,) = [met for step in journey for met in step.rules if met.verdict == "drop"]
    assert dropped == (met.family, met.table, met.chain, met.comment)


def test_a_silent_name_server_was_asked_and_did_not_answer(street, tmp_path):
    street.internet.dns.sh("nft add table inet deaf; nft 'add chain inet deaf c { type filter hook input priority 0; }'; "
                           "nft add rule inet deaf c udp dport 53 drop", check=True)  # fmt: skip
    listen = "exec tcpdump -n -l --immediate-mode -i any udp port 53"
    with background(street.internet.dns, listen, "listening on", tmp_path) as heard:
        journey = street.trace("app", "http://www.example.com", timeout=0.5)
        wait_until(lambda: "A? www.example.com" in heard())
    assert (journey.reason.code, journey.reason.place) == ("rule-dropped", "dns")
    assert not re.findall(r" Out .*198\.51\.100\.53\.53 >", heard())


def test_a_packet_too_big_for_a_link_was_seen_before_it_and_not_on_it(street, tmp_path):
    street.host.sh("ip link set eth0 mtu 1000; iptables -I OUTPUT -p icmp -j DROP", check=True)
    listen = "exec tcpdump -n -l --immediate-mode -i any 'tcp and greater 1200'"
    with (
        background(street.host, listen, "listening on", tmp_path) as before,
        background(street["router"], listen, "listening on", tmp_path) as behind,
    ):
        journey = street.trace("app", "http://198.51.100.80/" + "x" * 1200, timeout=0.6)
        wait_until(lambda: "docker0 In" in before())
    assert journey.reason.code == "mtu-black-hole"
    assert "eth0  Out" not in before()
    assert "198.51.100.80.80:" not in behind()


def icmp_out_of_age(street):
    street["app"].sysctl("net.ipv4.ip_default_ttl", 2)
    return "app", "ping 198.51.100.80", ("time-exceeded", "router")


def udp_to_a_closed_port(street):
    return "app", f"udp:{street['web'].address}:81", ("port-closed", "web")


def a_rule_that_refuses(street):
    street.host.sh("iptables -I DOCKER-USER -s 172.17.0.3 -p tcp --dport 80 -j REJECT", check=True)
    return "app", _WWW, ("rule-rejected", "host")


@pytest.mark.parametrize("dies", [icmp_out_of_age, udp_to_a_closed_port, a_rule_that_refuses])
def test_the_error_of_icmp_that_tcpdump_sees_is_the_answer_of_the_journey(dies, street, tmp_path):
    source, target, why = dies(street)
    listen = "exec tcpdump -n -l --immediate-mode -i any icmp"
    with background(street["app"], listen, "listening on", tmp_path) as heard:
        journey = street.trace(source, target, timeout=0.6)
        wait_until(lambda: re.search(r"eth0 .*In .*(time exceeded|unreachable)", heard()), what=heard())
    assert (journey.reason.code, journey.reason.place) == why
    (sender,) = set(re.findall(r"IP (\S+) > 172\.17\.0\.3: ICMP .*(?:time exceeded|unreachable)", heard()))
    assert ("app", "eth0", "in") in hops(journey, "back")
    assert sender in {one.headers.source for one in journey if one.way == "back" and one.headers and one.place == "app"}


@pytest.mark.parametrize("way", [one for one in WAYS if one.__name__ != "over_macvlan"])  # which leads past the host
def test_every_entry_of_the_host_is_one_that_conntrack_reports(way, lab, tmp_path):
    source, target, _ = way(lab)
    with background(lab.host, "exec stdbuf -oL conntrack -E -e NEW", "", tmp_path) as heard:
        wait_until(lambda: traces_are_heard(lab))
        journey = lab.trace(source, target)
        assert journey.ok, journey
        told = [
            f"src={flow.source} dst={flow.destination} sport={flow.source_port} dport={flow.destination_port}"
            for step in journey
            if step.kind == "conntrack" and step.place == "host"
            for flow in (step.connection.original, step.connection.reply)
        ]
        wait_until(lambda: all(one in heard() for one in told), what=f"{told} in {heard()}")
    assert told
