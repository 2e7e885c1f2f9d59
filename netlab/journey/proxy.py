"""Going on behind docker-proxy: it takes a connection at a published port, and makes one of its own to the container."""

from __future__ import annotations

from collections.abc import Iterator

from netlab.capture.headers import TCP
from netlab.capture.packet import Packet
from netlab.journey.facts import Facts
from netlab.journey.gathering import Observation
from netlab.journey.joining import Passage, handshake
from netlab.journey.steps import Step
from netlab.journey.walking import Walk, arrived

_PROXY = "docker-proxy"


def beyond(seen: Observation, facts: Facts, request: Passage) -> Iterator[Step]:
    """Yield the steps of the connection that docker-proxy made for a request that it took; none for any other request.

    That the two belong together is inferred: it is the next connection that the place made.
    """
    made = _made_for(seen, facts, request)
    if made is None:
        return
    place, headers = made.place, made.headers
    where = f"{headers.destination}:{headers.destination_port}"
    yield Step(
        "there", "request", place, "socket", f"{_PROXY} makes a connection of its own to {where}, from {headers.source}",
        f"{_PROXY} が {headers.source} から {where} へ、自分の接続を張ります", "inferred", "ss -tnp", headers=headers,
    )  # fmt: skip
    there, back = handshake(seen, headers.source_port, headers.destination_port)
    for one in there[:1]:
        yield from Walk(seen, facts, one, "there", "request").steps()
    for one in back[:1]:
        yield from Walk(seen, facts, one, "back", "request").steps()


def _made_for(seen: Observation, facts: Facts, request: Passage) -> Packet | None:
    if request.headers.protocol != TCP or not request.captures or not arrived(request):
        return None
    last = list(request.sights())[-1]
    headers = last.headers.innermost
    listener = facts.listener(last.place, TCP, headers.destination, headers.destination_port)
    if listener is None or listener.process != _PROXY:
        return None
    since = request.captures[-1].nanoseconds
    later = (one for one in seen.packets if one.place == last.place and one.outgoing and one.nanoseconds > since)
    ours = seen.outcome.port
    return next((one for one in later if one.headers.flags == "S" and one.headers.source_port != ours), None)
