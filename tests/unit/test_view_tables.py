"""Tables of facts."""

from __future__ import annotations

import pytest
from view_samples import chapter_one, japanese

from netlab.errors import RequestError
from netlab.language import current, say, set_language
from netlab.model import Interface, Route, Socket
from netlab.view.tables import Table


@pytest.fixture(autouse=True)
def english():
    set_language("en")
    yield
    set_language(None)


ROUTES = Table([Route("default", "203.0.113.1", "eth0"), Route("172.17.0.0/16", None, "docker0", protocol="kernel")])


def test_prints_in_columns_without_the_empty_ones():
    """A column in which nothing stands is not printed."""
    assert repr(ROUTES).splitlines() == [
        "destination    gateway      interface  protocol",
        "default        203.0.113.1  eth0       boot",
        "172.17.0.0/16               docker0    kernel",
    ]


def test_is_a_sequence_of_its_rows():
    """Rows are data: indexed, sliced, compared, counted."""
    assert ROUTES[0].gateway == "203.0.113.1"
    assert len(ROUTES[1:]) == 1
    assert isinstance(ROUTES[1:], Table)
    assert list(ROUTES) == [ROUTES[0], ROUTES[1]]
    assert Table(ROUTES) == ROUTES
    assert hash(Table(ROUTES)) == hash(ROUTES)
    assert [row.interface for row in ROUTES.where(lambda row: row.gateway is None)] == ["docker0"]


def test_gives_every_field_as_plain_data():
    """Also the fields that the table does not show."""
    assert ROUTES.to_dicts()[0]["family"] == 4


def test_an_empty_table_says_so():
    """Not a blank line."""
    assert repr(Table()) == "(nothing)"
    assert "(nothing)" in Table()._repr_html_()


def test_interfaces_name_their_other_end():
    """Place, name and number of the peer in one column."""
    text = repr(Table(chapter_one().place("web").interfaces))
    assert "other end" in text
    assert "host:veth" in text


def test_html_escapes_and_follows_the_page():
    """Names stay text; colours come from JupyterLab, so that a dark page stays readable."""
    html = Table([Socket("tcp", "<b>", 80)])._repr_html_()
    assert "&lt;b&gt;" in html
    assert "var(--jp-content-font-color1" in html
    assert "text-align:right" in html
    assert set(Table(ROUTES)._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_titles_in_japanese_stay_aligned():
    """A Japanese letter takes two columns."""
    set_language("ja")
    head, first, *_ = repr(Table(japanese().place("host").interfaces)).splitlines()
    assert head.startswith("名前")
    assert "インターフェース" in repr(ROUTES)
    assert first.index("1") - head.index("番号") == len("番号") * 2 - 1 + len("名前")


def test_language_comes_from_the_environment(monkeypatch):
    """NETLAB_LANGUAGE goes before the locale; what is set goes before both."""
    set_language(None)
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    monkeypatch.delenv("NETLAB_LANGUAGE", raising=False)
    assert current() == "ja"
    monkeypatch.setenv("NETLAB_LANGUAGE", "en")
    assert current() == "en"
    set_language("ja")
    assert say(en="yes", ja="はい") == "はい"
    assert say(en="yes", ja="はい", language="en") == "yes"


def test_an_unknown_language_is_refused():
    """The error names what there is."""
    with pytest.raises(RequestError, match="en, ja"):
        set_language("de")


def test_rows_know_nothing_of_the_table():
    """The model stays plain."""
    assert not hasattr(Interface, "_repr_html_")
