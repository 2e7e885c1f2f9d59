"""What others see of a probe: tcpdump on every interface, `nft monitor trace`, `conntrack -E`."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager

from outside import wait_until

_LINE = re.compile(r"^(\d+\.\d+) (\S+)\s+(In|Out|P|M|B)\s+.*: Flags \[(\S+)\]")


@contextmanager
def background(place, command: str, ready: str, folder):
    """Run a command in a place until the end of the block; give a function that returns what it said so far."""
    file = folder / f"{place.name}-{abs(hash(command))}"
    file.touch()
    pid = place.sh(f"{command} >{file} 2>&1 & echo $!", check=True).stdout.strip()
    wait_until(lambda: ready in file.read_text() or not ready, what=f"{command}: {file.read_text()}")
    try:
        yield file.read_text
    finally:
        place.sh(f"kill {pid}")


@contextmanager
def witnesses(places, folder):
    """Let tcpdump listen on every interface of the places; give where it saw SYN packets, in order of time.

    What a peer sends again (on a slow machine, an answer that nobody took: tcp(7)) is seen where the first one was.
    """
    with ExitStack() as stack:
        listening = {
            place.name: stack.enter_context(
                background(
                    place,
                    "exec tcpdump --nano -tt -n -l --immediate-mode -i any 'tcp[tcpflags] & tcp-syn != 0'",
                    "listening on",
                    folder,
                )
            )
            for place in places
        }

        def sights(flags):
            found = []
            for name, said in listening.items():
                for line in said().splitlines():
                    match = _LINE.match(line)
                    if match and match.group(4) == flags:
                        found.append((match.group(1), name, match.group(2), "out" if match.group(3) == "Out" else "in"))
            return list(dict.fromkeys((name, interface, way) for _, name, interface, way in sorted(found)))

        def seen(flags="S", count=0):
            wait_until(lambda: len(sights(flags)) >= count, what=f"{count} sights, there are {sights(flags)}")
            return sights(flags)

        yield seen


def hops(journey, way="there", leg="request"):
    """Return the interfaces that a packet passed."""
    return [
        (step.place, step.interface, step.kind)
        for step in journey
        if (step.way, step.leg) == (way, leg) and step.kind in ("in", "out")
    ]


def traces_are_heard(lab):
    """Whether a netlink socket of the trace group is open on the host, as /proc/net/netlink shows it."""
    lines = [line.split() for line in lab.host.sh("cat /proc/net/netlink").stdout.splitlines()[1:]]
    return any(line[1] == "12" and int(line[3], 16) for line in lines)
