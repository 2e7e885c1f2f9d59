"""What commands, pings and web requests bring back, in words that a beginner understands."""

from __future__ import annotations

import pytest

from netlab.errors import CommandFailed
from netlab.places.results import Result, read_curl, read_ping

PING = """PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data.
64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=0.045 ms

--- 10.0.0.2 ping statistics ---
2 packets transmitted, 1 received, 50% packet loss, time 1001ms
rtt min/avg/max/mdev = 0.045/0.245/0.345/0.000 ms
"""


def test_a_result_is_shown_as_what_was_said_and_a_bad_status_after_it():
    assert repr(Result("ls", "host", 0, "a\nb\n", "")) == "a\nb"
    assert repr(Result("ls", "host", 2, "", "ls: no\n")) == "ls: no\n[status 2]"
    assert repr(Result("ls", "host", -9, "", "", timed_out=True)) == "[a timeout]"
    assert repr(Result("ls", "host", -15, "", "")) == "[signal 15]"
    assert bool(Result("true", "host", 0, "", "")) is True


def test_check_returns_the_result_or_raises_what_was_said():
    good = Result("true", "host", 0, "", "")
    assert good.check() is good
    with pytest.raises(CommandFailed, match="`ls x` on web ended with status 2: no such file"):
        Result("ls x", "web", 2, "", "no such file\n").check()
    with pytest.raises(CommandFailed, match="it said nothing"):
        Result("false", "web", 1, "", "").check()


def test_ping_is_counted():
    result = read_ping("10.0.0.2", "web", 2, PING)
    assert (result.sent, result.received, result.milliseconds, result.ok) == (2, 1, 0.245, True)
    assert repr(result) == "web → 10.0.0.2: 1 of 2 answered"


@pytest.mark.parametrize(
    ("output", "reason", "outcome"),
    [
        ("ping: connect: Network is unreachable\n", "Network is unreachable", "unreachable"),
        ("From 10.0.0.1 icmp_seq=1 Destination Host Unreachable\n", "Destination Host Unreachable", "unreachable"),
        ("ping: nosuch: Name or service not known\n", "not known", "no name"),
        (
            "1 packets transmitted, 0 received, 100% packet loss, time 0ms\n",
            "1 of 1 packets lost in silence",
            "silence",
        ),
        ("", "1 of 1 packets lost in silence", "silence"),
    ],
)
def test_a_ping_without_answer_says_why(output, reason, outcome):
    result = read_ping("10.0.0.2", "web", 1, output)
    assert not result
    assert result.outcome == outcome
    assert result.reason == reason
    assert reason in repr(result)


def test_a_page_is_read():
    said = "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n<html><head><title>t</title></head><h1>Hello</h1>\n</html>"
    result = read_curl("http://x", "web", 0, said, "")
    assert (result.status, result.reason, result.ok) == (200, "OK", True)
    assert repr(result) == "web → http://x: 200 OK\nHello"
    assert not read_curl("http://x", "web", 0, "HTTP/1.1 404 Not Found\r\n\r\n", "")


@pytest.mark.parametrize(
    ("status", "stderr", "words", "outcome"),
    [
        (7, "* connect to 10.0.0.2 port 80 failed: Connection refused\n", "refused: the machine is there", "refused"),
        (
            7,
            "* Immediate connect fail for 10.9.9.9: Network is unreachable\n",
            "no way there: network is unreachable",
            "unreachable",
        ),
        (7, "* connect to 127.0.0.1 port 8080 failed: Connection reset by peer\n", "was cut off", "cut off"),
        (28, "curl: (28) Connection timed out\n", "silence", "silence"),
        (6, "curl: (6) Could not resolve host: x\n", "could not be resolved", "no name"),
        (52, "curl: (52) Empty reply from server\n", "without an answer", "cut off"),
        (3, "curl: (3) URL using bad/illegal format\n", "illegal format", "error"),
        (99, "", "curl ended with status 99", "error"),
    ],
)
def test_no_page_says_why(status, stderr, words, outcome):
    result = read_curl("http://x", "web", status, "", stderr)
    assert result.status is None
    assert words in result.reason
    assert result.outcome == outcome
