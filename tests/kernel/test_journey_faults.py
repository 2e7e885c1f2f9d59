"""When a packet dies, its journey ends where it died and says why: each fault is made by hand and told apart."""

from __future__ import annotations

import pytest
from outside import wait_until

pytestmark = pytest.mark.kernel


@pytest.fixture
def street(lab):
    """A lab with a web server and a container beside it, whose neighbours know each other."""
    lab.run("web", image="nginx", publish="8080:80")
    lab.run("app")
    return lab


def reason(journey):
    """Return the code and the place of the reason; the last step says it, in both languages."""
    assert journey.reason is not None, journey
    last = journey[-1]
    assert (last.kind, last.place) == ("end", journey.reason.place)
    assert last.text == journey.reason.text
    assert last.japanese != last.english
    assert "{" not in last.english + last.japanese + journey.reason.advice + journey.reason.command
    assert journey.reason.text in repr(journey)
    assert journey.to_dict()["reason"]["code"] == journey.reason.code
    return journey.reason.code, journey.reason.place


# ── rules ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_networks_are_kept_apart_by_a_rule(street):
    street.network("shop")
    street.run("other", network="shop")
    journey = street.trace("other", f"http://{street['web'].address}")
    assert reason(journey) == ("rule-dropped", "host")
    (step,) = [step for step in journey if step.kind == "rules" and step.rules[-1].verdict == "drop"]
    dropped = step.rules[-1]
    assert {one.way for one in journey} == {"there"}  # it died on its way there, and the table says so
    assert dropped.comment == "DROP DIRECT ACCESS"
    listed = street.host.sh(f"nft --handle list chain {dropped.family} {dropped.table} {dropped.chain}").stdout
    assert f"# handle {dropped.handle}" in listed
    assert dropped.iptables.startswith("iptables -t raw -A PREROUTING")
    assert street.host.sh(journey.reason.command).stdout == listed


def test_a_students_rule_drops(street):
    street.host.sh("iptables -I DOCKER-USER -s 172.17.0.3 -p tcp --dport 80 -j DROP", check=True)
    journey = street.trace("app", "http://198.51.100.80")
    assert reason(journey) == ("rule-dropped", "host")
    assert "DOCKER-USER" in journey[-1].text
    assert journey.places == ["app", "host"]


def test_a_rule_refuses_and_says_so(street):
    street.host.sh("iptables -I DOCKER-USER -s 172.17.0.3 -p tcp --dport 80 -j REJECT", check=True)
    assert reason(street.trace("app", "http://198.51.100.80")) == ("rule-rejected", "host")


def test_the_answer_is_dropped_on_its_way_back(street):
    street.host.sh("iptables -I DOCKER-USER -d 172.17.0.3 -p tcp --sport 80 -j DROP", check=True)
    journey = street.trace("app", "http://198.51.100.80")
    assert reason(journey) == ("rule-dropped", "host")
    assert journey.places == ["app", "host", "router", "www"]
    assert next(step.place for step in journey if step.way == "back" and step.kind == "out") == "www"
    assert journey[-1].way == "back"


def test_a_policy_drops(street):
    street["web"].nft("table inet closed { chain input { type filter hook input priority 0; policy drop; }; }")
    assert reason(street.trace("app", f"http://{street['web'].address}")) == ("policy-dropped", "web")


def test_a_rule_drops_what_the_place_itself_sends(street):
    street["app"].nft("table inet mute { chain c { type filter hook output priority 0; tcp dport 80 drop\n }; }")
    assert reason(street.trace("app", f"http://{street['web'].address}")) == ("rule-dropped", "app")


# ── routes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_container_without_a_network(street):
    street.run("lone", network="none")
    assert reason(street.trace("lone", "ping 198.51.100.80")) == ("no-interface", "lone")


def test_an_internal_network_has_no_way_out(street):
    street.network("inner", internal=True)
    street.run("kept", network="inner")
    assert reason(street.trace("kept", "ping 198.51.100.80")) == ("no-route", "kept")
    assert reason(street.trace("kept", "http://www.example.com")) == ("name-server-failed", "kept")


def test_there_is_no_route_back(street):
    street["web"].sh("ip route delete default", check=True)
    journey = street.trace("client", "http://203.0.113.10:8080", timeout=0.5)
    assert reason(journey) == ("no-route", "web")
    assert journey.places == ["client", "router", "host", "web"]


def test_a_route_that_refuses(street):
    journey = street.trace("app", "ping 10.1.1.1", timeout=0.5)
    assert reason(journey) == ("route-refuses", "router")
    assert "10.0.0.0/8" in journey[-1].text


def test_a_host_that_does_not_forward(street):
    street.host.sysctl("net.ipv4.ip_forward", 0)
    journey = street.trace("app", "ping 198.51.100.80", timeout=0.5)
    assert reason(journey) == ("not-forwarding", "host")
    assert street.host.sh(journey.reason.command).stdout == "net.ipv4.ip_forward = 0\n"


def test_the_reverse_path_is_another_one(street):
    assert street.internet.ping("203.0.113.10").ok  # so that they know each other's hardware address
    street.host.sh("sysctl -w net.ipv4.conf.all.rp_filter=1; ip route add 203.0.113.50/32 dev docker0", check=True)
    before = rejected(street)
    journey = street.trace("client", "http://203.0.113.10:8080", timeout=0.5)
    assert reason(journey) == ("reverse-path", "host")
    assert rejected(street) > before


def rejected(lab):
    said = lab.host.sh("cat /proc/net/netstat", check=True).stdout.splitlines()
    return int(dict(zip(said[0].split(), said[1].split(), strict=True))["IPReversePathFilter"])


# ── links and neighbours ───────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_has_that_address(street):
    journey = street.trace("app", "ping 172.17.0.99", timeout=0.5)
    assert reason(journey) == ("arp-unanswered", "app")
    assert "172.17.0.99" in journey[-1].text
    neighbour = street["app"].sh("ip neigh show 172.17.0.99").stdout
    assert "INCOMPLETE" in neighbour or "FAILED" in neighbour


@pytest.mark.parametrize(
    ("place", "interface", "said"),
    [("app", "eth0", "app"), ("web", "eth0", "web"), ("host", "{veth}", "host"), ("host", "docker0", "host")],
)
def test_a_link_that_is_down(street, place, interface, said):
    name = interface.format(veth=street["web"].veth)
    street[place].sh(f"ip link set {name} down", check=True)
    journey = street.trace("app", f"http://{street['web'].address}", timeout=0.6)
    assert reason(journey) == ("link-down", said)
    assert name in journey[-1].text


def test_a_loopback_that_is_down(street):
    red = street.namespace("red")
    assert reason(street.trace(red, "ping 127.0.0.1")) == ("link-down", "red")
    red.link("lo").up()
    assert street.trace(red, "ping 127.0.0.1").ok


def test_a_bridge_does_not_send_a_frame_back_where_it_came_from(street):
    web = street["web"]
    street.host.nft(
        f"""table ip hairpin {{
            chain before {{ type nat hook prerouting priority -101;
                ip daddr 203.0.113.10 tcp dport 9090 dnat to {web.address}:80
            }}
            chain after {{ type nat hook postrouting priority 99;
                ip saddr {web.address} ip daddr {web.address} masquerade
            }}
        }}"""
    )
    assert reason(street.trace("web", "http://203.0.113.10:9090", timeout=0.6)) == ("hairpin-off", "host")
    street.host.sh(f"bridge link set dev {web.veth} hairpin on", check=True)
    journey = street.trace("web", "http://203.0.113.10:9090")
    assert journey.ok, journey
    assert journey.places == ["web", "host", "web"]


# ── ports ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_listens_on_the_port(street):
    journey = street.trace("app", f"tcp:{street['web'].address}:81")
    assert reason(journey) == ("port-closed", "web")
    assert "R" in next(step for step in journey if step.way == "back" and step.kind == "out").headers.flags
    assert reason(street.trace("app", f"udp:{street['web'].address}:81")) == ("port-closed", "web")


def test_the_server_listens_for_itself_only(street):
    street["app"].sh("nc -lk -s 127.0.0.1 -p 99 >/dev/null 2>&1 &")
    wait_until(lambda: any(one.port == 99 for one in street["app"].sockets))
    journey = street.trace("web", f"tcp:{street['app'].address}:99")
    assert reason(journey) == ("bound-elsewhere", "app")
    assert "127.0.0.1:99" in journey[-1].text


def test_the_server_takes_the_connection_and_says_nothing(street):
    street["app"].sh("nc -lk -p 99 >/dev/null 2>&1 &")
    wait_until(lambda: any(one.port == 99 for one in street["app"].sockets))
    assert reason(street.trace("web", f"http://{street['app'].address}:99", timeout=0.4)) == ("no-answer", "app")


# ── names ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_docker0_knows_no_names(street):
    journey = street.trace("app", "http://web")
    assert reason(journey) == ("name-unknown", "app")
    assert "NXDOMAIN" in journey[-1].text
    assert not [step for step in journey if step.leg == "request" and step.kind != "end"]


def test_a_name_server_that_is_silent(street):
    stopped = "$(ss -lnpu 'sport = :53' | grep -o 'pid=[0-9]*' | cut -d= -f2 | head -1)"
    street.internet.dns.sh(f"kill -STOP {stopped}", check=True)
    try:
        journey = street.trace("app", "http://www.example.com", timeout=0.5)
    finally:
        street.internet.dns.sh(f"kill -CONT {stopped}")
    assert reason(journey) == ("name-server-silent", "app")
    assert "deliver" in [step.kind for step in journey]  # the question arrived


def test_the_question_is_dropped_also_when_it_was_asked_for_another(street):
    street.internet.dns.nft("table inet deaf { chain c { type filter hook input priority 0; udp dport 53 drop\n }; }")
    assert reason(street.trace("app", "http://www.example.com", timeout=0.5)) == ("rule-dropped", "dns")
    street.network("shop")
    street.run("other", network="shop")
    assert reason(street.trace("other", "http://www.example.com", timeout=0.5)) == ("rule-dropped", "dns")


def test_no_name_server_at_all(street):
    street["app"].sh("echo > /etc/resolv.conf", check=True)
    assert reason(street.trace("app", "http://www.example.com")) == ("no-name-server", "app")


# ── sizes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_packet_that_is_too_big_dies_where_icmp_is_dropped(street):
    street.host.sh("ip link set eth0 mtu 1000; iptables -I OUTPUT -p icmp -j DROP", check=True)
    journey = street.trace("app", "http://198.51.100.80/" + "x" * 1200, timeout=0.6)
    assert reason(journey) == ("mtu-black-hole", "host")
    assert "1000" in journey[-1].text
    assert [step for step in journey if step.kind == "deliver" and step.place == "www"]  # the small ones arrive


def test_a_packet_that_is_too_big_is_refused_where_the_narrow_link_begins(street):
    """TCP forbids to take its packets apart (RFC 1191), the router says what would pass, and the sender is not told."""
    street["app"].nft("table inet deaf { chain c { type filter hook input priority 0; meta l4proto icmp drop\n }; }")
    street.host.sh("ip link set eth0 mtu 1000", check=True)
    journey = street.trace("app", "http://198.51.100.80/" + "x" * 1200, timeout=0.6)
    assert reason(journey) == ("packet-too-big", "host")
    assert "1000" in journey[-1].text
    assert [step for step in journey if step.kind == "deliver" and step.place == "www"]  # the small ones arrive


def test_a_packet_that_may_pass_too_few_routers_ends_at_one_of_them(street):
    """As traceroute sees it: the router that takes the last unit off the time to live says so (RFC 792)."""
    www = "198.51.100.80"
    for hops, said in ((1, "host"), (2, "router")):
        street["app"].sysctl("net.ipv4.ip_default_ttl", hops)
        journey = street.trace("app", f"tcp:{www}:80", timeout=0.6)
        assert reason(journey) == ("time-exceeded", said)
        assert journey.places == ["app", "host", "router"][: hops + 1]
        pinged = street["app"].sh(f"ping -c 1 -W 2 {www}").stdout
        assert "Time to live exceeded" in pinged
    street["app"].sysctl("net.ipv4.ip_default_ttl", 3)
    assert street.trace("app", f"tcp:{www}:80").ok


def test_a_router_that_sends_packets_in_a_circle(street):
    street.internet.router.sh("ip route add 10.200.0.0/16 via 203.0.113.10", check=True)
    street.host.nft("flush ruleset")
    street["app"].sysctl("net.ipv4.ip_default_ttl", 7)
    journey = street.trace("app", "ping 10.200.0.1", timeout=0.6)
    assert reason(journey) == ("time-exceeded", "host")
    assert journey.places[:5] == ["app", "host", "router", "host", "router"]


def test_a_redirect_is_no_reason(street):
    """A router that sends a packet back where it came from says that there is a shorter way (RFC 792), and sends it."""
    street.internet.router.sh("ip route add 10.200.0.0/16 via 203.0.113.10", check=True)
    with street.host.capture("icmp[icmptype] == icmp-redirect") as seen:
        journey = street.trace("app", "ping 10.200.0.1", timeout=0.6)
    assert len(seen) > 0
    assert reason(journey) == (
        "lost",
        "host",
    )  # it came back from where it had been sent to, with the host's own address
