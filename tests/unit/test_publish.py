"""Publishing ports: specifications and the allocator. PM-… are rows of the catalogue of a real engine's behaviours."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab import publish
from netlab.errors import RequestError
from netlab.publish import ANY4, ANY6, PortAllocator, PortBinding, PortTaken, parse, parse_expose

BOTH = (ANY4, ANY6)


def one(number: int) -> range:
    return range(number, number + 1)


@pytest.mark.parametrize(
    ("spec", "binding"),
    [
        ("80", PortBinding(None, None, 80)),  # PM-03
        ("8080:80", PortBinding(None, one(8080), 80)),  # PM-01
        ("127.0.0.1:8080:80", PortBinding("127.0.0.1", one(8080), 80)),  # PM-06
        ("127.0.0.1::80", PortBinding("127.0.0.1", None, 80)),  # PM-07
        ("0.0.0.0:8080:80", PortBinding("0.0.0.0", one(8080), 80)),  # PM-08
        ("[::]:8080:80", PortBinding("::", one(8080), 80)),  # PM-08
        ("[::1]:8080:80", PortBinding("::1", one(8080), 80)),  # PM-08
        ("::1:8080:80", PortBinding("::1", one(8080), 80)),  # without brackets too
        ("[127.0.0.1]:80:80", PortBinding("127.0.0.1", one(80), 80)),
        ("8000-8005:80", PortBinding(None, range(8000, 8006), 80)),  # PM-12
        ("8053:53/udp", PortBinding(None, one(8053), 53, "udp")),  # PM-16
        ("80/TCP", PortBinding(None, None, 80)),
        ("80/", PortBinding(None, None, 80)),
        ("8080:80/sctp", PortBinding(None, one(8080), 80, "sctp")),  # PM-18
        ("0:80", PortBinding(None, None, 80)),  # PM-20
        (":80", PortBinding(None, None, 80)),  # PM-20
        (":8080:80", PortBinding(None, one(8080), 80)),  # PM-20
        ("8080:0", PortBinding(None, one(8080), 0)),  # PM-20
        ("08080:80", PortBinding(None, one(8080), 80)),
        ("target=80,published=8080,protocol=udp,mode=host", PortBinding(None, one(8080), 80, "udp")),
        ("target=80", PortBinding(None, None, 80)),
    ],
)
def test_reads_what_follows_p(spec, binding):
    """PM-01, PM-03, PM-06, PM-07, PM-08, PM-12, PM-16, PM-18, PM-20: the forms of -p."""
    assert parse(spec) == [binding]


def test_ranges_map_pairwise():
    """PM-11: 8000-8002:80-82 maps pairwise."""
    assert parse("8000-8002:80-82") == [PortBinding(None, one(8000 + n), 80 + n) for n in range(3)]


def test_a_container_range_alone_gives_ephemeral_ports():
    """PM-14: -p 80-82 gives three ephemeral ports."""
    assert parse("80-82") == [PortBinding(None, None, port) for port in (80, 81, 82)]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("70000:80", "invalid hostPort: 70000"),
        ("abc:80", "invalid hostPort: abc"),
        ("8080:abc", "invalid containerPort: abc"),
        ("8080:80/icmp", "invalid proto: icmp"),
        ("1.2.3:8080:80", "invalid IP address: 1.2.3"),
        ("localhost:8080:80", "invalid IP address: localhost"),
        ("8080:", "no port specified: 8080:<empty>"),
        ("9090-9089:80", "invalid hostPort: 9090-9089"),
        ("", "no port specified: <empty>"),
        ("::", "no port specified: ::<empty>"),
        ("127.0.0.1:80", "invalid hostPort: 127.0.0.1"),
        ("1.2.3.4:5:6:7", "invalid IP address: 1.2.3.4:5"),
        ("-1:80", "invalid hostPort: -1"),
        ("80-", "invalid containerPort: 80-"),
        ("+80", "invalid containerPort: +80"),
        ("8080 :80", "invalid hostPort: 8080 "),
        ("65536", "invalid containerPort: 65536"),
        ("[::1:8080:80", "invalid IP address [::1: address [::1:: missing ']' in address"),
        ("[foo]:80:80", "invalid IP address: foo"),
        ("fe80::1%eth0:80:80", "invalid IP address: fe80::1%eth0"),
        ("ip::80", "invalid IP address: ip"),
        ("8080:80:", "invalid IP address: 8080"),
        ("[::1]z::80", "invalid IP address [::1]z: address [::1]z:: missing port in address"),
        ("[::1]:5:6:7", "invalid IP address [::1]:5: address [::1]:5:: too many colons in address"),
        ("[x[]::80", "invalid IP address [x[]: address [x[]:: unexpected '[' in address"),
        ("82-80:80/x", "invalid hostPort: 82-80"),
        ("source=1", "no port specified: :/tcp<empty>"),
    ],
)
def test_refuses_with_the_words_of_the_docker_command(spec, words):
    """PM-19: each text as printed by docker 28.2.2."""
    with pytest.raises(RequestError) as refusal:
        parse(spec)
    assert str(refusal.value) == words


@pytest.mark.parametrize(
    ("spec", "ranges"), [("8000-8001:80-82", "80-82 and 8000-8001"), ("8080:80-81", "80-81 and 8080")]
)
def test_refuses_unequal_ranges(spec, ranges):
    """PM-15: unequal ranges."""
    with pytest.raises(RequestError, match=f"^invalid ranges specified for container and host Ports: {ranges}$"):
        parse(spec)


@given(st.text(alphabet="0123456789:-./[]abtcpud=,%", max_size=24))
def test_never_fails_otherwise(spec):
    """Whatever is typed is either understood or refused with a RequestError."""
    for read in (parse, parse_expose):
        with contextlib.suppress(RequestError):
            assert read(spec)


def test_expose_reads_ports_and_ranges():
    """PM-44, PM-45: --expose 80, --expose 81/udp, ranges."""
    assert parse_expose("80") == [(80, "tcp")]
    assert parse_expose("81/udp") == [(81, "udp")]
    assert parse_expose("80-82/TCP") == [(80, "tcp"), (81, "tcp"), (82, "tcp")]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("82-80", "invalid range format for --expose: 82-80, error: invalid range specified for port: 82-80"),
        ("abc", 'invalid range format for --expose: abc, error: strconv.ParseUint: parsing "abc": invalid syntax'),
        ("80:80", "invalid port format for --expose: 80:80"),
        ("", "invalid range format for --expose: , error: empty string specified for ports"),
        (
            "1-70000",
            'invalid range format for --expose: 1-70000, error: strconv.ParseUint: parsing "70000": value out of range',
        ),
    ],
)
def test_expose_refuses_with_the_words_of_the_docker_command(spec, words):
    """Each text as printed by docker 28.2.2."""
    with pytest.raises(RequestError) as refusal:
        parse_expose(spec)
    assert str(refusal.value) == words


def taken(*wanted, addresses=BOTH, protocol="tcp"):
    """Return an allocator in which these ports are taken."""
    allocator = PortAllocator()
    for port in wanted:
        allocator.take(allocator.choose(addresses, protocol, port))
    return allocator


def test_listens_on_both_families_by_default():
    """PM-01, PM-08, PM-46: every address, or the one asked for, or the network's default."""
    assert PortBinding(None, None, 80).addresses() == BOTH
    assert PortBinding("::1", None, 80).addresses("127.0.0.1") == ("::1",)
    assert PortBinding(None, None, 80).addresses("127.0.0.1") == ("127.0.0.1",)


def test_ephemeral_ports_start_at_32768_and_go_forward():
    """PM-03, PM-04: a released ephemeral port does not come back at once."""
    allocator = PortAllocator()
    claims = []
    for _ in range(3):
        claims.append(allocator.choose(BOTH, "tcp", None))
        allocator.take(claims[-1])
    assert [claim.port for claim in claims] == [32768, 32769, 32770]
    allocator.release(claims[1])
    assert allocator.choose(BOTH, "tcp", None).port == 32771


def test_ephemeral_ports_come_round_again():
    """PM-04: after the end the search goes on at the beginning."""
    allocator = PortAllocator(range(10, 13))
    claims = []
    for _ in range(3):
        claims.append(allocator.choose(BOTH, "tcp", None))
        allocator.take(claims[-1])
    with pytest.raises(PortTaken, match=r"^all ports are allocated$"):
        allocator.choose(BOTH, "tcp", None)
    allocator.release(claims[1])
    assert allocator.choose(BOTH, "tcp", None).port == 11


def test_choosing_takes_nothing():
    """An answer changes nothing: asked again, the allocator says the same."""
    allocator = PortAllocator()
    assert allocator.choose(BOTH, "tcp", None) == allocator.choose(BOTH, "tcp", None)


def test_a_range_skips_what_is_taken():
    """PM-12, PM-13: the first free port of a range; a fixed pair does not move."""
    allocator = taken(one(8080))
    assert allocator.choose(BOTH, "tcp", range(8079, 8082)).port == 8079
    allocator.take(allocator.choose(BOTH, "tcp", range(8079, 8082)))
    assert allocator.choose(BOTH, "tcp", range(8079, 8082)).port == 8081
    with pytest.raises(PortTaken):
        allocator.choose(BOTH, "tcp", one(8080))


def test_a_taken_port_is_refused():
    """PM-21, PM-24, PM-25: Bind for … failed."""
    with pytest.raises(PortTaken) as refusal:
        taken(one(8080)).choose(BOTH, "tcp", one(8080))
    assert str(refusal.value) == "Bind for 0.0.0.0:8080 failed: port is already allocated"
    assert publish.refused("web", "1f47", refusal.value) == (
        "driver failed programming external connectivity on endpoint web (1f47): "
        "Bind for 0.0.0.0:8080 failed: port is already allocated"
    )


def test_every_address_collides_with_one():
    """PM-23: 0.0.0.0:8080 and 127.0.0.1:8080 exclude each other (the words are those of 29)."""
    with pytest.raises(PortTaken, match=r"^Bind for 0\.0\.0\.0:8080 failed: port is already allocated$"):
        taken(one(8080)).choose(["127.0.0.1"], "tcp", one(8080))
    with pytest.raises(PortTaken, match=r"^Bind for 127\.0\.0\.1:8080 failed: port is already allocated$"):
        taken(one(8080), addresses=["127.0.0.1"]).choose(BOTH, "tcp", one(8080))
    with pytest.raises(PortTaken, match=r"^Bind for ::1:8080 failed"):
        taken(one(8080), addresses=["::1"]).choose(BOTH, "tcp", one(8080))


def test_two_addresses_coexist():
    """PM-27: 127.0.0.1:8080 and 127.0.0.2:8080, and the two families."""
    allocator = taken(one(8080), addresses=["127.0.0.1"])
    assert allocator.choose(["127.0.0.2"], "tcp", one(8080)).port == 8080
    assert allocator.choose([ANY6], "tcp", one(8080)).port == 8080


def test_protocols_are_separate():
    """PM-16: the same host port may serve TCP and UDP."""
    assert taken(one(8053)).choose(BOTH, "udp", one(8053)).port == 8053


def test_two_host_ports_may_lead_to_one_container_port():
    """PM-26: -p 8080:80 -p 8081:80."""
    assert taken(one(8080)).choose(BOTH, "tcp", one(8081)).port == 8081


def test_a_released_port_is_free():
    """PM-30, PM-31: docker stop frees the port, and another container may take it."""
    allocator = PortAllocator()
    claim = allocator.choose(BOTH, "tcp", one(8080))
    allocator.take(claim)
    allocator.release(claim)
    allocator.release(claim)
    assert allocator.choose(["127.0.0.1"], "tcp", one(8080)).port == 8080


def test_a_range_from_zero_is_refused():
    """-p 0-5:80 passes the docker command; the engine refuses it."""
    with pytest.raises(RequestError, match=r"^invalid port range: 0-5$"):
        PortAllocator().choose(BOTH, "tcp", parse("0-5:80")[0].host_port)


def test_says_what_the_kernel_refused():
    """PM-10, PM-28: the words of 29 for an address the host lacks, or a port that one of its processes has."""
    words = publish.cannot_bind("0.0.0.0", 8090, "tcp", "address already in use")
    assert words == "failed to bind host port 0.0.0.0:8090/tcp: address already in use"
    assert publish.cannot_bind("::", 53, "udp", "x") == "failed to bind host port [::]:53/udp: x"


def test_exposes_each_container_port_once():
    """PM-26: two host ports, one exposed port."""
    assert publish.exposed([*parse("8080:80"), *parse("8081:80"), *parse("53/udp")]) == [(80, "tcp"), (53, "udp")]
