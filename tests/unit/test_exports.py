"""What `import netlab` gives: little, named, and found when it is asked for."""

from __future__ import annotations

import inspect

import pytest

import netlab
from netlab import errors


def test_all_is_sorted_and_every_name_is_there():
    assert list(netlab.__all__) == sorted(netlab.__all__)
    for name in netlab.__all__:
        assert getattr(netlab, name) is not None


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Labb'"):
        netlab.Labb  # noqa: B018 - asking is the test


def test_every_error_is_in_the_tree_and_derives_from_one_base():
    classes = [one for one in vars(errors).values() if inspect.isclass(one)]
    tree = errors.__doc__
    for one in classes:
        assert issubclass(one, errors.NetlabError)
        assert one.__name__ in tree, f"{one.__name__} is missing in the tree at the head of errors.py"
        assert one.__doc__


def test_an_error_shows_its_message_alone():
    assert errors.NotFound("There is no x.")._render_traceback_() == ["NotFound: There is no x."]
