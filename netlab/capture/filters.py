"""Filters as in tcpdump (pcap-filter(7)), compiled by libpcap itself and run by the kernel."""

from __future__ import annotations

from netlab.capture.tap import Ground, Program
from netlab.errors import MissingTool, RequestError
from netlab.language import say

_NOT_FOUND = 127
_SECONDS = 10


def compiled(world: Ground, place: str, expression: str) -> Program:
    """Return the program that `tcpdump -ddd EXPRESSION` prints in a place, where names mean what they mean there.

    Raises RequestError with tcpdump's words for a wrong one, MissingTool where there is no tcpdump.
    """
    if not expression.strip():
        return ()
    argv = ["tcpdump", "-ddd", "-y", "EN10MB", "--", expression]
    done = world.run_command(place, argv, timeout=_SECONDS)
    if done.returncode == _NOT_FOUND:
        raise MissingTool(
            say(
                en="`tcpdump` is not installed. Install it: sudo apt-get install tcpdump",
                ja="`tcpdump` がインストールされていません。インストールするには: sudo apt-get install tcpdump",
            )
        )
    if done.returncode != 0:
        words = done.stderr.strip().removeprefix("tcpdump: ").splitlines()
        raise RequestError(
            say(
                en=f"The filter {expression!r} cannot be used: {words[0] if words else '?'}. Write it as for tcpdump: "
                "icmp, tcp port 80, host 172.17.0.2",
                ja=f"フィルター {expression!r} は使えません: {words[0] if words else '?'}。tcpdump と同じように書きます: "
                "icmp、tcp port 80、host 172.17.0.2",
            )
        )
    numbers = [[int(word) for word in line.split()] for line in done.stdout.splitlines()[1:]]
    return [(code, true, false, value) for code, true, false, value in numbers]
