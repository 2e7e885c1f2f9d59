"""Checks that many challenges need: real probes from a place of the lab, each with its sentence in both languages."""

from __future__ import annotations

from collections.abc import Callable

from netlab.course.chapters import Texts
from netlab.course.definition import Check, both
from netlab.lab import Lab
from netlab.language import say


def answers(place: str, address: str, *, size: int | None = None) -> Check:
    """Return the check that `address` answers a ping from `place`, with `size` bytes in one piece where that is given."""

    def missing(lab: Lab) -> str | None:
        how = "" if size is None else f"-M do -s {size}"
        # Two, for the first one may come before the kernel has seen that a cable was plugged in.
        if lab[place].sh(f"ping -c 2 -i 0.2 -W 1 {how} {address}").ok:
            return None
        return say(
            en=f"`{address}` does not answer a ping from `{place}`.",
            ja=f"`{place}` からの ping に `{address}` が答えません。",
        )

    if size is None:
        sentence = both(en=f"`{place}` reaches `{address}`", ja=f"`{place}` から `{address}` に届く")
    else:
        sentence = both(
            en=f"`{place}` reaches `{address}` with {size} bytes in one piece",
            ja=f"`{place}` から `{address}` に、{size} バイトが分割なしで届く",
        )
    return Check(sentence, missing)


def silent(place: str, address: str) -> Check:
    """Return the check that `address` gives no answer to a ping from `place`."""

    def missing(lab: Lab) -> str | None:
        if not lab[place].ping(address, count=2).ok:
            return None
        return say(
            en=f"`{address}` answers a ping from `{place}`, and it must not.",
            ja=f"`{place}` からの ping に `{address}` が答えています。答えてはいけません。",
        )

    return Check(both(en=f"`{place}` does not reach `{address}`", ja=f"`{place}` から `{address}` に届かない"), missing)


def page(place: str, url: str, *, by: str | None = None) -> Check:
    """Return the check that `place` gets a page from `url`; of the container `by`, where that is given."""

    def missing(lab: Lab) -> str | None:
        got = lab[place].http(url, timeout=2)
        if not got.ok:
            return say(
                en=f"`{place}` asks `{url}` and gets no page ({got.reason}).",
                ja=f"`{place}` から `{url}` にアクセスしても、ページが届きません({got.reason})。",
            )
        if by is not None and lab.containers[by].id[:12] not in got.text:
            return say(
                en=f"`{place}` asks `{url}` and gets a page, but not from `{by}`.",
                ja=f"`{place}` から `{url}` にアクセスするとページが届きますが、`{by}` のものではありません。",
            )
        return None

    sentence = both(en=f"`{place}` gets a page from `{url}`", ja=f"`{place}` から `{url}` のページが見える")
    if by is not None:
        sentence = both(
            en=f"`{place}` gets the page of `{by}` from `{url}`",
            ja=f"`{place}` から `{url}` で `{by}` のページが見える",
        )
    return Check(sentence, missing)


def no_page(place: str, url: str) -> Check:
    """Return the check that `place` gets no page from `url`, however that comes about."""

    def missing(lab: Lab) -> str | None:
        if lab[place].http(url, timeout=1).status is None:
            return None
        return say(
            en=f"`{place}` gets a page from `{url}`, and it must not.",
            ja=f"`{place}` から `{url}` のページが見えています。見えてはいけません。",
        )

    return Check(
        both(en=f"`{place}` gets no page from `{url}`", ja=f"`{place}` から `{url}` のページが見えない"), missing
    )


def holds(sentence: Texts, is_so: Callable[[Lab], bool], otherwise: Texts) -> Check:
    """Return the check that something is so in the kernel; `otherwise` is said where it is not."""

    def missing(lab: Lab) -> str | None:
        return None if is_so(lab) else say(en=otherwise["en"], ja=otherwise["ja"])

    return Check(sentence, missing)
