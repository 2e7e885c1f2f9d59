"""Names: what may be called what, whatever is given; and the names that netlab makes up, the same in every run."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab import names
from netlab.addressing import check_address, check_destination, check_interface_address
from netlab.errors import RequestError

CHECKS = [names.check_container, names.check_namespace, names.check_interface]
ANYTHING = st.one_of(st.text(), st.none(), st.integers(), st.binary(), st.lists(st.text()))


def answer(check, given):
    """Return what a check returns, or the error that it raises."""
    try:
        return check(given)
    except RequestError as error:
        return error


@pytest.mark.parametrize("check", CHECKS)
@given(ANYTHING)
def test_a_name_is_returned_as_it_was_or_refused_with_an_example(check, name):
    said = answer(check, name)
    if isinstance(said, RequestError):
        assert "For example" in str(said)
        assert len(str(said)) < 300
    else:
        assert said is name
        assert not set(name) & {" ", "/", "\n", "\0"}
        assert name not in ("", ".", "..")


@given(st.text(string.ascii_letters + string.digits, min_size=2, max_size=15))
def test_plain_names_may_be_had_everywhere(name):
    assert [check(name) for check in CHECKS] == [name] * 3


@given(st.text())
def test_the_kernels_limit_of_an_interface_name_is_in_bytes(name):
    try:
        names.check_interface(name)
    except RequestError:
        return
    assert 1 <= len(name.encode()) <= 15


@pytest.mark.parametrize("check", [check_interface_address, check_address, check_destination])
@given(ANYTHING)
def test_an_address_is_returned_in_its_usual_form_or_refused_with_an_example(check, text):
    said = answer(check, text)
    if isinstance(said, RequestError):
        assert "10.0.0" in str(said)
    else:
        assert check(said) == said


@pytest.mark.parametrize(
    ("text", "result"),
    [("10.0.0.1/24", "10.0.0.1/24"), ("10.0.0.1/255.255.255.0", "10.0.0.1/24"), ("2001:DB8::1/64", "2001:db8::1/64")],
)
def test_addresses_are_written_the_usual_way(text, result):
    assert check_interface_address(text) == result


def test_a_subnet_that_is_an_address_gets_a_suggestion():
    with pytest.raises(RequestError, match=r"Did you mean 10\.0\.0\.0/24\?"):
        check_destination("10.0.0.7/24")


def test_made_up_names_are_the_same_in_every_run_and_fit():
    identifier = names.container_id("netlab", "web", 1)
    assert identifier == names.container_id("netlab", "web", 1)
    assert len(identifier) == 64
    assert identifier != names.container_id("netlab", "web", 2)
    assert names.check_interface(names.veth_name(identifier, 0)) != names.veth_name(identifier, 1)
    assert names.mac_address("172.17.0.2") == "02:42:ac:11:00:02"
    assert names.made_up_mac("docker0").startswith("02:42:")
