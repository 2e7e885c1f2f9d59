"""Commands that configure again what the kernel's tools report: each kind of line, without a kernel."""

from __future__ import annotations

import subprocess

import pytest

from netlab import ops
from netlab.script import parameters, tables
from netlab.script.configuration import Configuration, Everything
from netlab.script.links import Links
from netlab.script.rebuild import Group
from netlab.script.shell import Script

FRESH = {
    "net.ipv4.ip_forward": "0",
    "net.ipv4.conf.all.accept_redirects": "1",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.forwarding": "0",
    "net.ipv4.conf.default.rp_filter": "0",
    "net.ipv4.conf.lo.forwarding": "0",
    "net.ipv4.conf.lo.rp_filter": "0",
    "net.ipv4.neigh.lo.gc_stale_time": "60",
    "net.ipv6.conf.default.disable_ipv6": "0",
    "net.netfilter.nf_conntrack_count": "0",
}


def configuration(**more):
    given = {
        "place": "web", "kind": "container", "host": "host", "links": (), "chosen_macs": frozenset(), "routes": (),
        "rules": (), "rules6": (), "neighbours": (), "forwarding": (), "parameters": {}, "ruleset": "",
        "of_iptables": frozenset(), "iptables": "", "ip6tables": "", "others": {}, **more,
    }  # fmt: skip
    return Configuration(**given)


def link(name, index=2, kind="veth", **more):
    return {
        "ifname": name,
        "ifindex": index,
        "flags": ["UP"],
        "mtu": 1500,
        "address": "02:42:00:00:00:01",
        "linkinfo": {"info_kind": kind},
        **more,
    }


def words(operations):
    return [f"{operation.tool} {operation.words()}" for operation in operations]


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("default via 172.17.0.1 dev eth0", "ip route add default via 172.17.0.1 dev eth0"),
        ("10.5.0.0/16 dev eth0 scope link", "ip route add 10.5.0.0/16 dev eth0"),
        ("blackhole 10.0.0.0/8", "ip route add blackhole 10.0.0.0/8"),
        (
            "default via 10.0.0.1 dev eth0 proto static metric 50 onlink linkdown",
            "ip route add default via 10.0.0.1 dev eth0 proto static metric 50 onlink",
        ),
        ("10.1.0.0/16 via 10.0.0.2 dev eth0 table 7", "ip route add 10.1.0.0/16 via 10.0.0.2 dev eth0 table 7"),
        ("default via fd00::1 dev eth0 metric 1024 pref medium", "ip route add default via fd00::1 dev eth0"),
        (
            "default proto static \\\tnexthop via 10.0.0.1 dev eth0 weight 1 \\\tnexthop via 10.0.0.2 dev eth0 weight 1",
            "ip route add default proto static nexthop via 10.0.0.1 dev eth0 weight 1 nexthop via 10.0.0.2 dev eth0 weight 1",
        ),
    ],
)
def test_a_route_is_added_as_it_is_reported(line, command):
    assert words(tables.routes(configuration(routes=(line,)))) == [command]


def test_the_kernels_own_routes_are_left_to_it_and_gateways_come_last():
    lines = (
        "default via 10.5.0.1 dev eth0",
        "10.5.0.1 dev eth0 scope link",
        "10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1",
        "local 10.0.0.1 dev eth0 table local proto kernel scope host src 10.0.0.1",
        "fe80::/64 dev eth0 proto kernel metric 256 pref medium",
    )
    assert words(tables.routes(configuration(routes=lines))) == [
        "ip route add 10.5.0.1 dev eth0",
        "ip route add default via 10.5.0.1 dev eth0",
    ]


def test_a_route_that_the_kernel_would_make_and_that_is_not_there_is_deleted():
    one = {"family": "inet", "local": "10.0.0.1", "prefixlen": 24, "scope": "global", "broadcast": "10.0.0.255"}
    here = configuration(links=(link("eth0", addr_info=[one]),))
    assert words(tables.routes(here)) == ["ip route delete 10.0.0.0/24 dev eth0"]
    assert words(tables.addresses(here, "eth0")) == ["ip address add 10.0.0.1/24 broadcast + dev eth0"]
    without = {key: value for key, value in one.items() if key != "broadcast"}
    typed = configuration(links=(link("eth0", addr_info=[without]),))
    assert words(tables.addresses(typed, "eth0")) == ["ip address add 10.0.0.1/24 dev eth0"]


def test_parameters_are_those_that_somebody_has_set():
    mine = {**FRESH, "net.ipv4.ip_forward": "1", "net.ipv4.conf.default.forwarding": "1"}
    mine |= {"net.ipv4.conf.lo.forwarding": "1", "net.ipv4.conf.all.accept_redirects": "0"}
    mine |= {"net.netfilter.nf_conntrack_count": "7", "net.ipv4.conf.eth0.forwarding": "1"}
    assert words(parameters.of_place(mine, FRESH, "web")) == ["sysctl -w net.ipv4.ip_forward=1"]
    assert words(parameters.of_interface(mine, FRESH, "web", "eth0")) == []
    mine |= {"net.ipv4.conf.all.rp_filter": "2", "net.ipv4.conf.eth0.rp_filter": "1"}
    mine |= {"net.ipv4.neigh.eth0.gc_stale_time": "60"}
    assert words(parameters.of_place(mine, FRESH, "web"))[1:] == ["sysctl -w net.ipv4.conf.all.rp_filter=2"]
    assert words(parameters.of_interface(mine, FRESH, "web", "eth0")) == ["sysctl -w net.ipv4.conf.eth0.rp_filter=1"]


def test_an_interface_is_made_with_what_it_stands_on_first():
    ports = (
        link("left", 5, link_index=6, link="right", master="br0"),
        link("right", 6, link_index=5, link="left"),
        link("br0", 7, "bridge"),
    )
    places = {"web": configuration(links=ports, chosen_macs=frozenset({"right"}))}
    made = words(Links(places).make(("web", "right")))
    assert made[0] == "ip link add name br0 index 7 up type bridge"
    assert made[1] == (
        "ip link add name left index 5 master br0 up type veth peer name right index 6 address 02:42:00:00:00:01"
    )
    assert made[2] == "ip link set right up"


def test_an_interface_of_a_kind_that_cannot_be_made_is_told():
    links = Links({"web": configuration(links=(link("tun0", kind="tun"),))})
    assert links.make(("web", "tun0")) == []
    assert links.left_out == {("web", "tun0"): "tun"}


def test_a_tunnel_that_was_moved_stands_on_an_interface_of_the_place_where_it_was_made():
    """ip looks the number of the underlay up where the tunnel is: it says `if2`, or the name of another interface."""
    for said in ("if2", "other"):
        data = {"id": 42, "port": 4789, "remote": "203.0.113.50", "link": said}
        tunnel = link("vx", 4, link_index=4, link_netnsid=0, linkinfo={"info_kind": "vxlan", "info_data": data})
        neighbour = [link("other", 2)] if said == "other" else []
        red = configuration(links=(tunnel, *neighbour), others={0: "host"}, place="red")
        host = configuration(links=(link("eth0", 2),), place="host")
        assert Links({"red": red, "host": host}).other(("red", "vx")) == ("host", "eth0")


def test_tables_of_iptables_are_apart_from_others():
    ruleset = "table ip mine {\n}\ntable ip filter {\n\tchain INPUT {\n\t}\n}\n"
    saved = "# by\n*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -j DROP\nCOMMIT\n# done\n"
    here = configuration(ruleset=ruleset, iptables=saved, of_iptables=frozenset({("ip", "filter")}))
    rules, restored = tables.packet_rules(here)
    assert rules == ops.NftRules("web", "table ip mine {\n}")
    assert restored == ops.IptablesRules("web", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\nCOMMIT", "ip")


def test_two_namespaces_of_one_name_have_two_names_on_one_machine():
    places = {
        "1-ov@host": configuration(place="1-ov@host"),
        "web": configuration(links=(link("eth0", link_netnsid=0),), others={0: "1-ov@host"}),
    }
    apart = Everything(places, {}).on_one_machine()
    assert list(apart.places) == ["1-ov-host", "web"]
    assert apart.places["web"].others == {0: "1-ov-host"}


def test_a_script_is_one_that_a_shell_can_read():
    group = Group(
        "The container web",
        (ops.AddNamespace("host", "web"), ops.NftRules("web", "add table ip t\nadd chain ip t c")),
        ("docker run -d --name web nginx",),
        web="web",
        page="Welcome",
    )
    text = str(Script("lab", [group]))
    assert (
        "    # docker run -d --name web nginx\n    ip netns add web\n    ip netns exec web nft -f - <<'EOF'\n" in text
    )
    assert "serve web Welcome" in text
    subprocess.run(["sh", "-n"], input=text, text=True, check=True)
