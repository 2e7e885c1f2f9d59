"""What a container's questions are answered with, row by row of how a real engine behaves."""

from __future__ import annotations

import pytest

from netlab.dns import Member, NetworkNames, resolve

BLUE = NetworkNames(
    "blue",
    (
        Member(("web", "0123456789ab", "www"), ("172.18.0.2",)),
        Member(("app", "shared"), ("172.18.0.3", "fd00::3")),
        Member(("db", "shared", "C_Up.er"), ("172.18.0.4",)),
    ),
)
GREEN = NetworkNames("green.lan", (Member(("web",), ("172.19.0.2",)), Member(("queue",), ("172.19.0.3",))))


@pytest.mark.parametrize("name", ["web", "WEB", "web.", "www", "0123456789ab", "web.blue", "www.blue"])
def test_name_alias_short_id_and_qualified_name_mean_the_container(name):
    """DN-08, DN-09, DN-10, DN-12, DN-13."""
    assert resolve([BLUE], name, "A").records == ("172.18.0.2",)


def test_a_qualified_name_may_hold_dots_in_both_parts():
    """DN-13, DN-17."""
    assert resolve([GREEN], "queue.green.lan", "A").records == ("172.19.0.3",)
    assert resolve([BLUE], "c_up.er.blue", "A").records == ("172.18.0.4",)


def test_a_name_below_a_network_is_not_ours():
    """DN-14."""
    assert resolve([BLUE], "web.blue.example.test", "A").outcome == "forward"


def test_an_ipv4_only_name_has_an_empty_answer_for_aaaa():
    """DN-20."""
    assert resolve([BLUE], "web", "AAAA").outcome == "empty"
    assert resolve([BLUE], "app", "AAAA").records == ("fd00::3",)


def test_mx_of_a_known_name_is_empty_and_other_kinds_are_forwarded():
    """DN-22, DN-23."""
    assert resolve([BLUE], "web", "MX").outcome == "empty"
    assert {resolve([BLUE], "web", kind).outcome for kind in ("TXT", "NS", "SRV", "ANY")} == {"forward"}


def test_an_address_has_the_qualified_name_and_strangers_are_forwarded():
    """DN-24, DN-26."""
    assert resolve([BLUE], "2.0.18.172.in-addr.arpa", "PTR").records == ("web.blue.",)
    assert resolve([BLUE], "1.0.18.172.in-addr.arpa", "PTR").outcome == "forward"


def test_unknown_names_are_forwarded_unless_the_user_chose_ndots():
    """DN-28, DN-29."""
    assert resolve([BLUE], "nosuch", "A").outcome == "forward"
    assert resolve([BLUE], "nosuch", "A", forward_single_labels=False).outcome == "empty"
    assert resolve([BLUE], "www.example.com", "A", forward_single_labels=False).outcome == "forward"


def test_a_shared_alias_has_all_addresses():
    """DN-40, DN-42."""
    assert resolve([BLUE], "shared", "A").records == ("172.18.0.3", "172.18.0.4")


def test_a_name_means_what_it_means_on_the_first_network_that_knows_it():
    """DN-45, DN-46, DN-47."""
    assert resolve([BLUE, GREEN], "web", "A").records == ("172.18.0.2",)
    assert resolve([GREEN, BLUE], "web", "A").records == ("172.19.0.2",)
    assert resolve([BLUE], "queue", "A").outcome == "forward"


def test_a_link_is_known_to_the_linking_container_only():
    """DN-54."""
    assert resolve([BLUE], "lb", "A", {"lb": "db"}).records == ("172.18.0.4",)
    assert resolve([BLUE], "lb", "A").outcome == "forward"
