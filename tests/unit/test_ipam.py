"""Subnets and addresses. UD-…, LC-… and V6-… are rows of the catalogue of a real engine's behaviours."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.errors import RequestError
from netlab.ipam import DEFAULT_POOLS, AddressPool, AddressTaken, Exhausted, choose_subnet, claim_subnet, ula_pool
from netlab.ipam_config import Config, configs, one_per_family, validate

DOCKER0 = "172.17.0.0/16"
EVERY = [
    *(ipaddress.ip_network(f"172.{n}.0.0/16") for n in range(17, 32)),
    *(ipaddress.ip_network(f"192.168.{n}.0/20") for n in range(0, 256, 16)),
]


def refusal(call, *arguments, **options):
    """Return the words with which a call is refused."""
    with pytest.raises(RequestError) as caught:
        call(*arguments, **options)
    return str(caught.value)


# ── subnets ──


def test_default_pools_are_used_in_order():
    """UD-01, UD-02: 172.18/16 to 172.31/16, then sixteen /20 of 192.168/16, then no more."""
    taken = [DOCKER0]
    for _ in range(30):
        taken.append(str(choose_subnet(taken)))
    assert taken[1:15] == [f"172.{n}.0.0/16" for n in range(18, 32)]
    assert taken[15:] == [f"192.168.{n}.0/20" for n in range(0, 256, 16)]
    assert refusal(choose_subnet, taken) == "all predefined address pools have been fully subnetted"


def test_a_freed_subnet_is_next():
    """UD-03: first fit, since 27.0 (20.10 went on behind the last one)."""
    assert str(choose_subnet([DOCKER0, "172.18.0.0/16", "172.20.0.0/16"])) == "172.19.0.0/16"


def test_what_overlaps_is_skipped():
    """UD-04, UD-06: on-link routes of the host and its name servers reserve a pool."""
    assert str(choose_subnet([DOCKER0, "172.18.9.0/24"])) == "172.19.0.0/16"
    assert str(choose_subnet([DOCKER0, "172.18.0.53"])) == "172.19.0.0/16"
    assert str(choose_subnet([DOCKER0, "0.0.0.0/1", "10.0.0.0/8"])) == "172.18.0.0/16"


def test_own_pools_replace_the_default_ones():
    """UD-48: --default-address-pool base,size."""
    assert str(choose_subnet(["10.210.0.0/24"], [("10.210.0.0/16", 24)])) == "10.210.1.0/24"


def test_a_subnet_asked_for_is_not_compared_with_routes():
    """UD-07: any subnet is accepted that overlaps no other network."""
    assert str(claim_subnet(ipaddress.ip_network("192.0.2.0/24"), [DOCKER0])) == "192.0.2.0/24"


@pytest.mark.parametrize("subnet", ["172.17.0.0/16", "172.16.0.0/12", "172.17.5.0/24"])
def test_an_overlap_is_refused(subnet):
    """LC-12: equal, larger or smaller (the words of 29; 20.10 without "invalid pool request: ")."""
    words = refusal(claim_subnet, ipaddress.ip_network(subnet), [DOCKER0])
    assert words == "invalid pool request: Pool overlaps with other one on this address space"


def test_an_unspecified_subnet_asks_for_a_size():
    """UD-29: 0.0.0.0/24 is any /24 of the pools (29; an overlap before)."""
    assert str(claim_subnet(ipaddress.ip_network("0.0.0.0/24"), [DOCKER0])) == "172.18.0.0/24"
    assert str(claim_subnet(ipaddress.ip_network("::/72"), [], [ula_pool("x")])).endswith("::/72")


def test_ipv6_without_a_subnet_gets_a_unique_local_one():
    """V6-01: a /64 of fd00::/8 that is the same for the same host (27.0 and later; refused before)."""
    block, size = ula_pool("host")
    first = choose_subnet([], [(block, size)])
    assert ipaddress.ip_network(block).subnet_of(ipaddress.ip_network("fd00::/8"))
    assert (first.prefixlen, size) == (64, 64)
    assert choose_subnet([first], [(block, size)]) != first
    assert ula_pool("host") == ula_pool("host") != ula_pool("other")


@given(st.sets(st.integers(0, 30)))
def test_never_hands_out_what_is_taken(numbers):
    """Whatever is taken, the answer overlaps none of it, and is the first of its kind."""
    taken = [EVERY[number] for number in numbers]
    free = [subnet for subnet in EVERY if subnet not in taken]
    if free:
        assert choose_subnet(taken) == free[0]
    else:
        with pytest.raises(Exhausted):
            choose_subnet(taken)


def test_the_default_pools_are_dockers():
    """UD-01: docker0 has the first."""
    assert str(choose_subnet([])) == DOCKER0
    assert len(DEFAULT_POOLS) == 16


# ── options ──


def test_options_are_sorted_by_subnet():
    """V6-03, V6-15: each gateway, range and auxiliary address belongs to the subnet it lies in."""
    assert configs(["10.0.0.0/24", "fd00:a::/64"], ["10.0.0.128/25"], ["fd00:a::ff"], {"router": "10.0.0.9"}) == [
        Config("10.0.0.0/24", "10.0.0.128/25", None, {"router": "10.0.0.9"}),
        Config("fd00:a::/64", None, "fd00:a::ff", {}),
    ]


@pytest.mark.parametrize(
    ("subnets", "ranges", "gateways", "aux", "words"),
    [
        ([], [], ["10.0.0.1"], {}, "every ip-range or gateway must have a corresponding subnet"),
        ([], ["10.0.0.0/24"], [], {}, "every ip-range or gateway must have a corresponding subnet"),
        (["10.0.0.0/24"], [], ["10.1.0.1"], {}, "no matching subnet for gateway 10.1.0.1"),
        (["10.0.0.0/24"], ["10.1.0.0/24"], [], {}, "no matching subnet for range 10.1.0.0/24"),
        (["10.0.0.0/24"], [], [], {"a": "10.1.0.5"}, "no matching subnet for aux-address 10.1.0.5"),
        (["10.0.0.0/24", "10.0.0.0/25"], [], [], {}, "multiple overlapping subnet configuration is not supported"),
        (
            ["10.0.0.0/24", "10.0.1.0/24"],
            [],
            ["10.0.0.1", "10.0.0.2"],
            {},
            "cannot configure multiple gateways (10.0.0.2, 10.0.0.1) for the same subnet (10.0.0.0/24)",
        ),
        (
            ["10.0.0.0/24", "10.0.1.0/24"],
            ["10.0.0.0/25", "10.0.0.0/26"],
            [],
            {},
            "cannot configure multiple ranges (10.0.0.0/26, 10.0.0.0/25) on the same subnet (10.0.0.0/24)",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(subnets, ranges, gateways, aux, words):
    """LC-18, LC-19, LC-23: as the docker command says it (checked with 28.2.2)."""
    assert refusal(configs, subnets, ranges, gateways, aux) == words


@pytest.mark.parametrize(
    ("subnet", "words"),
    [
        ("notacidr", "netip.ParsePrefix(\"notacidr\"): no '/'"),
        ("10.94.0.0", "netip.ParsePrefix(\"10.94.0.0\"): no '/'"),
        ("10.0.0.0/33", 'netip.ParsePrefix("10.0.0.0/33"): prefix length out of range'),
        ("10.0.0.0/x", 'netip.ParsePrefix("10.0.0.0/x"): bad bits after slash: "x"'),
        ("foo/24", 'netip.ParsePrefix("foo/24"): ParseAddr("foo"): unable to parse IP'),
    ],
)
def test_a_subnet_that_is_none_is_refused(subnet, words):
    """LC-17: the words of CLI 29 (from its source; 28 and older leave it to the engine)."""
    assert refusal(configs, [subnet]) == words


def test_other_arguments_that_are_no_addresses_are_refused():
    """LC-18: the words of CLI 29 (from its source)."""
    assert refusal(configs, ["10.0.0.0/24"], ["foo"]) == (
        'invalid argument "foo" for "--ip-range" flag: invalid string being converted to CIDR: foo'
    )
    assert refusal(configs, ["10.0.0.0/24"], [], ["foo"]) == (
        'invalid argument "foo" for "--gateway" flag: invalid string being converted to IP address: foo'
    )
    assert refusal(configs, ["10.0.0.0/24"], [], [], {"a": "foo"}) == 'ParseAddr("foo"): unable to parse IP'


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (Config("10.97.0.5/24"), "invalid subnet 10.97.0.5/24: it should be 10.97.0.0/24"),
        (
            Config("10.94.0.0/24", "10.94.0.0/23"),
            "invalid ip-range 10.94.0.0/23: CIDR block is bigger than its parent subnet 10.94.0.0/24",
        ),
        (
            Config("10.0.0.0/8", "192.168.0.1/24"),
            (
                "invalid ip-range 192.168.0.1/24: it should be 192.168.0.0/24\n"
                "invalid ip-range 192.168.0.1/24: parent subnet 10.0.0.0/8 doesn't contain ip-range"
            ),
        ),
        (
            Config("10.0.0.0/8", None, "192.168.0.1"),
            "invalid gateway 192.168.0.1: parent subnet 10.0.0.0/8 doesn't contain this address",
        ),
        (
            Config("10.0.0.0/8", "fd00::/64", "fd00::1", {"x": "fd00::2"}),
            (
                "invalid ip-range fd00::/64: parent subnet is an IPv4 block\n"
                "invalid gateway fd00::1: parent subnet is an IPv4 block\n"
                "invalid auxiliary address x: parent subnet is an IPv4 block"
            ),
        ),
    ],
)
def test_the_engine_refuses_what_is_inconsistent(config, words):
    """UD-26, UD-27: since 25.0; 20.10 accepts both."""
    assert refusal(validate, [config], ipv6=False) == f"invalid network config:\n{words}"


def test_ipv6_subnets_need_ipv6():
    """V6-02: without --ipv6, an IPv6 subnet is left out without a word."""
    both = configs(["10.0.0.0/24", "fd00::/64"])
    assert validate(both, ipv6=True) == both
    assert validate(both, ipv6=False) == both[:1]


def test_a_bridge_has_one_subnet_of_each_family():
    """LC-22: two IPv4 subnets are refused."""
    one_per_family(configs(["10.0.0.0/24", "fd00::/64"]))
    words = refusal(one_per_family, configs(["10.0.0.0/24", "10.0.1.0/24"]))
    assert words == "bridge driver doesn't support multiple subnets"


# ── addresses ──


def pool(subnet="172.18.0.0/16", ip_range=None, gateway=None, **aux):
    return AddressPool(Config(subnet, ip_range, gateway, aux), "n (1f47)")


def take(addresses, count=1):
    """Choose and take, as an engine does that starts containers."""
    chosen = addresses.choose(count)
    for address in chosen:
        addresses.take(address)
    return chosen


def test_the_gateway_is_the_first_address():
    """UD-08, BR-05: .1, and the containers get .2, .3, .4."""
    addresses = pool()
    assert addresses.gateway == "172.18.0.1"
    assert take(addresses, 3) == ["172.18.0.2", "172.18.0.3", "172.18.0.4"]
    assert addresses.with_length("172.18.0.2") == "172.18.0.2/16"


def test_the_lowest_free_address_is_next():
    """BR-06, BR-07, BR-08: a released address comes back at once."""
    addresses = pool()
    take(addresses, 3)
    addresses.release("172.18.0.3")
    assert addresses.choose(2) == ["172.18.0.3", "172.18.0.5"]


def test_a_gateway_and_a_range_can_be_asked_for():
    """UD-15, UD-16: the first address of the range is handed out."""
    addresses = pool("10.99.0.0/24", "10.99.0.128/25", "10.99.0.254")
    assert addresses.gateway == "10.99.0.254"
    assert addresses.choose(2) == ["10.99.0.128", "10.99.0.129"]


def test_without_a_gateway_it_comes_from_the_range():
    """UD-17: 10.96.0.64 is the gateway, the first container gets .65."""
    addresses = pool("10.96.0.0/24", "10.96.0.64/26")
    assert (addresses.gateway, addresses.choose()) == ("10.96.0.64", ["10.96.0.65"])


def test_an_address_may_lie_outside_the_range():
    """UD-18: inside the subnet is enough."""
    assert pool("10.99.0.0/24", "10.99.0.128/25").check("10.99.0.7") == "10.99.0.7"


@pytest.mark.parametrize("address", ["10.99.0.2", "10.99.0.1", "10.99.0.0", "10.99.0.255"])
def test_an_address_in_use_is_refused(address):
    """UD-19: a container's, the gateway's, the network's own and the broadcast address."""
    addresses = pool("10.99.0.0/24")
    take(addresses)
    with pytest.raises(AddressTaken, match=r"^Address already in use$"):
        addresses.check(address)


def test_a_foreign_address_is_refused():
    """UD-20: the words of 29."""
    words = refusal(pool("10.99.0.0/24").check, "10.98.0.7")
    assert words == "invalid endpoint settings:\nno configured subnet contains IP address 10.98.0.7"


def test_an_address_that_is_none_is_refused():
    """UD-21, V6-10: no address, or one of the other family."""
    assert refusal(pool().check, "foo") == "invalid IPv4 address: foo"
    assert refusal(pool("fd00::/64").check, "172.20.0.9") == "invalid IPv6 address: 172.20.0.9"


def test_auxiliary_addresses_are_never_handed_out():
    """UD-23, UD-24: of a /29, with two of them, three addresses are left."""
    addresses = pool("10.0.0.0/29", a="10.0.0.2", b="10.0.0.3")
    assert take(addresses, 3) == ["10.0.0.4", "10.0.0.5", "10.0.0.6"]
    words = refusal(addresses.choose)
    assert words == "no available IPv4 addresses on this network's address pools: n (1f47)"


def test_asking_for_too_many_takes_none():
    """UD-24: an answer changes nothing."""
    addresses = pool("10.0.0.0/29")
    assert refusal(addresses.choose, 6).startswith("no available IPv4 addresses")
    assert len(take(addresses, 5)) == 5


def test_small_subnets():
    """UD-25: a /30 holds one container; a /31 two addresses (28 and later; 20.10 refuses it)."""
    assert take(pool("10.0.0.0/30")) == ["10.0.0.2"]
    assert AddressPool(Config("10.0.0.0/31"), gateway=False).choose(2) == ["10.0.0.0", "10.0.0.1"]


def test_there_must_be_room_for_the_gateway():
    """UD-25: the words of 29 (20.10: "No available addresses on this pool")."""
    words = refusal(pool, "10.0.0.0/30", "10.0.0.0/32")
    assert words == "failed to allocate gateway (): no available addresses on this pool"


@pytest.mark.parametrize("gateway", ["10.94.0.0", "10.94.0.255"])
def test_a_gateway_that_is_reserved_is_refused(gateway):
    """LC-20: the network's own and the broadcast address."""
    assert (
        refusal(pool, "10.94.0.0/24", None, gateway)
        == f"failed to allocate gateway ({gateway}): Address already in use"
    )


def test_an_auxiliary_address_is_not_the_gateway():
    """LC-21: aux = gateway."""
    words = refusal(pool, "10.94.0.0/24", x="10.94.0.1")
    assert words == "failed to allocate secondary ip address (x:10.94.0.1): Address already in use"


def test_ipv6_addresses():
    """V6-03, V6-10, V6-15: ::1 is the gateway, ::2 and ::3 follow; one may be asked for."""
    addresses = pool("fd00:aaaa::/64")
    assert addresses.gateway == "fd00:aaaa::1"
    assert take(addresses, 2) == ["fd00:aaaa::2", "fd00:aaaa::3"]
    assert refusal(addresses.check, "fd00:aaaa::2") == "Address already in use"
    assert addresses.check("fd00:aaaa:0::99") == "fd00:aaaa::99"
    assert pool("fd00:a::/64", None, "fd00:a::ff").gateway == "fd00:a::ff"


@given(st.lists(st.integers(0, 40)))
def test_is_always_the_lowest(steps):
    """Whatever was taken and released, the next address is the lowest that is free."""
    addresses, taken = pool("10.0.0.0/27"), set()
    for step in steps:
        address = f"10.0.0.{step % 29 + 2}"
        if address in taken:
            addresses.release(address)
            taken.remove(address)
        else:
            addresses.take(address)
            taken.add(address)
    free = [f"10.0.0.{n}" for n in range(2, 31) if f"10.0.0.{n}" not in taken]
    assert addresses.choose(len(free)) == free


def test_in_a_swarm_addresses_are_one_behind_the_other():
    """DR-34, BR-06: an address that has been released is not next, until all others have been."""
    addresses = AddressPool(Config("10.0.1.0/29"), serial=True)
    given_out = []
    for _ in range(7):
        (address,) = addresses.choose()
        addresses.take(address)
        addresses.release(address)
        given_out.append(address)
    assert given_out == [f"10.0.1.{n}" for n in (2, 3, 4, 5, 6, 2, 3)]
    addresses.take("10.0.1.5")
    assert addresses.choose(4) == ["10.0.1.4", "10.0.1.6", "10.0.1.2", "10.0.1.3"]
    addresses.take("10.0.1.3")
    assert addresses.choose(3) == ["10.0.1.4", "10.0.1.6", "10.0.1.2"]
