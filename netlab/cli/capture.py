"""The command capture: the packets of some places, as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from netlab import registry
from netlab.cli import options
from netlab.language import say

if TYPE_CHECKING:
    from netlab.capture.capture import Capture

_SECONDS = 0.1


@click.command()
@options.lab
@click.option("--also", "-a", metavar="PLACE", multiple=True, help="Capture there as well, on the same clock.")
@click.option("--count", "-c", type=click.IntRange(1), help="End after that many packets.")
@click.option(
    "--write", "-w", metavar="FILE", help="Write them to a pcapng file for Wireshark instead of showing them."
)
@click.argument("place")
@click.argument("expression", metavar="[FILTER]", nargs=-1)
def capture(
    lab: str | None,
    place: str,
    expression: tuple[str, ...],
    *,
    also: tuple[str, ...],
    count: int | None,
    write: str | None,
) -> None:
    """Show the packets on every interface of a place until Ctrl-C; FILTER is one as for tcpdump.

    At the end it says how many packets came, and how many were lost.

    \b
    For example:  netlab capture web
                  netlab capture host tcp port 80
                  netlab capture host --also web --write host.pcapng icmp
    """  # noqa: D301 - see the group
    from netlab.capture.capture import Capture  # noqa: PLC0415 - see the package
    from netlab.cli.entered import Entered  # noqa: PLC0415

    chosen = registry.choose(lab)
    found = {one: registry.ask(chosen, "enter", place=one) for one in (place, *also)}
    ground = Entered({name: (where["pid"], where["namespace"]) for name, where in found.items()})
    where = ", ".join(found)
    with Capture(ground, list(found), " ".join(expression)) as seen:
        click.echo(
            say(en=f"listening on {where}; Ctrl-C ends it", ja=f"{where} でキャプチャ中。Ctrl-C で終了"), err=True
        )
        lines = _Lines(seen, count)
        try:
            while count is None or seen.count < count:
                seen.wait(seen.count + 1, _SECONDS)
                if write is None:
                    lines.show()
        except KeyboardInterrupt:
            click.echo(err=True)
    if write is None:
        lines.show()
    else:
        _write(seen, write)
    lost = seen.lost
    click.echo(say(en=f"{seen.count} packets, {lost} lost", ja=f"{seen.count} パケット、取りこぼし {lost}"), err=True)


class _Lines:
    """Shows each packet of a capture once, as a line; no more than so many."""

    def __init__(self, seen: Capture, most: int | None) -> None:
        self._seen = seen
        self._most = most
        self._shown: set[int] = set()

    def show(self) -> None:
        """Show those that came since the last time."""
        from netlab.capture import summary  # noqa: PLC0415 - see the package

        packets = self._seen.packets
        for packet in packets:
            if id(packet) in self._shown or len(self._shown) == self._most:
                continue
            self._shown.add(id(packet))
            one = summary.row(packet, packets[0].nanoseconds)
            ends = f"{one.source} > {one.destination}" if one.destination else one.source
            click.echo(
                f"{one.time:>10} {one.place} {one.interface} {one.way:<3} {ends} {one.protocol} {one.info}".rstrip()
            )


def _write(seen: Capture, file: str) -> None:
    try:
        seen.pcapng(file)
    except OSError as error:
        raise click.FileError(file, error.strerror) from None
