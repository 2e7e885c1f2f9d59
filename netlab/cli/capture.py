"""The command capture: the packets of a place, as they come."""

from __future__ import annotations

import click

from netlab.cli import inside, options


@click.command()
@options.lab
@click.option("--count", "-c", type=click.IntRange(1), help="End after that many packets.")
@click.option("--write", "-w", metavar="FILE", help="Write them to a file instead of showing them.")
@click.argument("place")
@click.argument("expression", metavar="[FILTER]", nargs=-1)
def capture(lab: str | None, place: str, expression: tuple[str, ...], *, count: int | None, write: str | None) -> None:
    """Show the packets on every interface of a place until Ctrl-C; FILTER is one as for tcpdump.

    It is tcpdump that runs there, on all interfaces, without looking up names.

    \b
    For example:  netlab capture web
                  netlab capture host tcp port 80
                  netlab capture host --count 10 --write host.pcap icmp
    """  # noqa: D301 - see the group
    argv = ["tcpdump", "-n", "-l", "-i", "any"]
    argv += ["-c", str(count)] if count else []
    argv += ["-w", write] if write else []
    inside.run(lab, place, [*argv, "--", *expression])
