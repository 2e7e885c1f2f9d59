"""Two looks at a lab are compared: each difference is told once, in words, with the command that makes it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import view_samples as samples

from netlab.changes.comparing import differences
from netlab.changes.difference import Changes
from netlab.model import Chain, Neighbour, Route, Rule


def told(before, after, language="en"):
    return [(one.kind, one.element, one.sentence, one.commands) for one in differences(before, after, language)]


def world():
    made = samples.docker_world()
    made.run("web", "172.17.0.2/16", label="nginx", listens=[80])
    return made


def changed_interface(one, place, name, /, **changes):
    interfaces = [replace(each, **changes) if each.name == name else each for each in one.places[place].interfaces]
    one.change(place, interfaces=tuple(interfaces))


def test_two_equal_looks_differ_in_nothing():
    assert told(world().snapshot(), world().snapshot()) == []
    assert repr(Changes(())) == "The kernel is as it was."


def test_a_container_that_appears_is_told_with_its_cable_its_address_and_its_server():
    found = told(samples.docker_world().snapshot(), world().snapshot())
    assert [(kind, element.split("/")[0]) for kind, element, *_ in found] == [
        ("appeared", "place"),
        ("appeared", "link"),
        ("changed", "interface"),
        ("appeared", "place"),
    ]
    assert found[0][2:] == ("A container web appeared.", ("ip netns add web",))
    assert found[2][3] == ("ip -n web address add 172.17.0.2/16 broadcast + dev eth0",)
    assert found[3][2:] == ("web: a process listens on tcp 0.0.0.0:80.", ())


def test_a_container_that_goes_takes_what_is_in_it_along():
    found = told(world().snapshot(), samples.docker_world().snapshot())
    assert [(kind, commands) for kind, _, _, commands in found] == [
        ("went", ("ip netns delete web",)),
        ("went", (f"ip link delete {world().snapshot().place('web').interface('eth0').peer_name}",)),
    ]


@pytest.mark.parametrize(
    ("changes", "sentence", "command"),
    [
        ({"up": False, "carrier": False}, "web: eth0 was switched off.", "ip -n web link set eth0 down"),
        ({"carrier": False}, "web: eth0 lost its signal: the other end is off.", None),
        (
            {"mtu": 1400},
            "web: eth0 takes packets of up to 1400 bytes now (MTU; before: 1500).",
            "ip -n web link set eth0 mtu 1400",
        ),
        ({"name": "lan0"}, "web: lan0 is the new name of eth0.", "ip -n web link set eth0 name lan0"),
        (
            {"addresses": ()},
            "web: eth0 lost the address 172.17.0.2/16.",
            "ip -n web address delete 172.17.0.2/16 dev eth0",
        ),
    ],
)
def test_what_became_of_an_interface_is_told_with_its_command(changes, sentence, command):
    after = world()
    changed_interface(after, "web", "eth0", **changes)
    ((kind, element, said, commands),) = told(world().snapshot(), after.snapshot())
    assert (kind, said) == ("changed", sentence)
    assert element == f"interface/web/{changes.get('name', 'eth0')}"
    assert commands == ((command,) if command else ())


def test_a_moved_interface_is_the_same_one_elsewhere():
    before, after = samples.World(internet=False), samples.World(internet=False)
    for one in (before, after):
        one.add("red", "namespace", [samples.LO_DOWN], host="host")
    before.put("host", samples.interface("right", 7, carrier=False))
    after.put("red", replace(samples.interface("right", 7, up=False), addresses=()))
    ((kind, element, said, commands),) = told(before.snapshot(), after.snapshot())
    assert (kind, element, said) == ("changed", "interface/red/right", "right moved from host into red.")
    assert commands == ("ip link set right netns red",)


def test_routes_that_the_kernel_makes_for_an_address_are_not_told_again_but_lost_ones_are():
    connected = Route("172.17.0.0/16", None, "eth0", protocol="kernel", scope="link")
    default = Route("default", "172.17.0.1", "eth0")
    with_routes, without_default, off = world(), world(), world()
    with_routes.change("web", routes=(default, connected))
    without_default.change("web", routes=(connected,))
    changed_interface(off, "web", "eth0", up=False, carrier=False)
    assert [said for _, _, said, _ in told(with_routes.snapshot(), off.snapshot())] == [
        "web: eth0 was switched off.",
        "web: the route default via 172.17.0.1 dev eth0 went.",
    ]
    ((_, _, _, commands),) = told(without_default.snapshot(), with_routes.snapshot())
    assert commands == ("ip -n web route add default via 172.17.0.1",)
    no_connected = world()
    no_connected.change("web", routes=(default,))
    ((_, _, said, _),) = told(with_routes.snapshot(), no_connected.snapshot())
    assert said == "web: the route 172.17.0.0/16 dev eth0 went."


def test_rules_are_known_by_what_they_say_and_not_by_their_handles():
    def chain(*rules):
        return (Chain("ip", "lesson", "c", "nat", "postrouting", 100, "accept", tuple(rules)),)

    drop, masquerade = Rule("ip", "lesson", "c", 5, "tcp dport 5 drop"), Rule("ip", "lesson", "c", 6, "masquerade")
    before, after = world(), world()
    before.change("host", chains=chain(drop))
    after.change("host", chains=chain(replace(drop, handle=9, packets=3), masquerade))
    ((kind, element, said, commands),) = told(before.snapshot(), after.snapshot())
    assert (kind, element, said) == ("appeared", "nat/host", "host: a rule appeared in c: masquerade")
    assert commands == ("nft 'add rule ip lesson c masquerade'",)
    assert told(after.snapshot(), before.snapshot())[0][3] == ("nft 'delete rule ip lesson c handle 6'",)


def test_a_new_table_is_added_before_its_first_chain_only():
    before, after = samples.World(internet=False), samples.World(internet=False)
    after.change("host", chains=(Chain("ip", "t", "one"), Chain("ip", "t", "two")))
    assert Changes(differences(before.snapshot(), after.snapshot())).commands == (
        "nft 'add table ip t'",
        "nft 'add chain ip t one'",
        "nft 'add chain ip t two'",
    )


def test_what_ages_by_itself_is_no_change():
    after = world()
    after.change("web", neighbours=(Neighbour("172.17.0.1", "02:42:ac:11:00:01", "eth0", "stale"),))
    assert told(world().snapshot(), after.snapshot()) == []


def test_a_place_with_a_new_namespace_is_told_and_one_with_a_new_name():
    after = world()
    after.change("web", inode=4027000000)
    assert "web has a new network namespace." in [said for _, _, said, _ in told(world().snapshot(), after.snapshot())]
    renamed = world()
    renamed.places["shop"] = replace(renamed.places.pop("web"), name="shop")
    assert told(world().snapshot(), renamed.snapshot())[0] == (
        "changed",
        "place/shop",
        "web is called shop now.",
        (),
    )


def test_passing_packets_on_is_told_in_both_languages():
    after = world()
    after.change("host", ip_forward=False)
    ((_, _, english, commands),) = told(world().snapshot(), after.snapshot())
    ((_, _, japanese, _),) = told(world().snapshot(), after.snapshot(), "ja")
    assert english == "host passes no packets on any more."
    assert japanese == "host がパケットを転送しなくなりました。"
    assert commands == ("sysctl -w net.ipv4.ip_forward=0",)


def test_differences_are_data_and_text():
    found = Changes(differences(samples.docker_world().snapshot(), world().snapshot(), "en"))
    assert found.to_dicts()[0] == {
        "element": "place/web",
        "kind": "appeared",
        "sentence": "A container web appeared.",
        "commands": ("ip netns add web",),
    }
    assert repr(found).splitlines()[:2] == ["+ A container web appeared.", "    ip netns add web"]
    assert "place/web" in found.elements("appeared")
    assert "ip netns add web" in found._repr_html_()
