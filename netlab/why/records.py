"""What the lab's engines and name servers have on record, as far as it explains why something is not reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from netlab import dns


@dataclass(frozen=True)
class Served:
    """What the internal name server knows for one container: names of its networks, and whom to ask further up."""

    networks: Sequence[dns.NetworkNames] = ()
    upstreams: Sequence[str] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    forward_single_labels: bool = True


@dataclass(frozen=True)
class Promised:
    """A port of a host that is to lead to a container's port.

    `running` is whether the container runs; `anew` gives the docker lines that make it once more with another port of its own.
    """

    container: str
    port: int
    running: bool
    anew: Callable[[int], tuple[str, ...]]


@dataclass(frozen=True)
class Records:
    """The records: `served` by a container's name, `zone` of the internet's name server by name.

    `stopped` gives the host of a container that is there but does not run, `promised` what a host's port (its number and
    protocol) was asked to lead to.
    """

    served: Callable[[str], Served | None]
    zone: Mapping[str, str]
    stopped: Callable[[str], str | None]
    promised: Callable[[str, int, str], Promised | None]
