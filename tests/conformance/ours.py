"""A lab of netlab, with its docker command."""

from __future__ import annotations

import io
import shlex

from world import Done, World

from netlab import Lab
from netlab.docker.command import execute

_RAISED = 70


class NetlabEngine(World):
    """One lab."""

    def __init__(self) -> None:
        self._lab = Lab()

    def clear(self) -> None:
        """Remove what a scenario has made: a lab is quickly made anew."""
        self._lab.close()
        self._lab = Lab()

    def close(self) -> None:
        """End the lab."""
        self._lab.close()

    def docker(self, line: str) -> Done:
        out, err = io.StringIO(), io.StringIO()
        try:
            status = execute(self._lab, shlex.split(line), out, err)
        except Exception as error:  # noqa: BLE001 - the command should have said it in words: a fault, which the row shows
            return Done(_RAISED, out.getvalue(), f"docker raised {error!r}")
        return Done(status, out.getvalue(), err.getvalue())

    def swarm(self) -> None:
        """Make a lab whose hosts are one swarm, as those of every lab with several are."""
        self._lab.close()
        self._lab = Lab(hosts=2)

    def iptables(self, table: str) -> list[str]:
        """Return what netlab says that its rules are in iptables' words."""
        lines = [line for rule in self._lab.iptables() for line in rule.iptables.split("; ")]
        plain = [line.replace("iptables -A", "iptables -t filter -A") for line in lines]
        start = f"iptables -t {table} "
        return [line.removeprefix(start) for line in plain if line.startswith(start)]

    def inside(self, container: str, line: str) -> Done:
        return self._sh(container, line)

    def host(self, line: str) -> Done:
        return self._sh("host", line)

    def outside(self, line: str) -> Done:
        return self._sh("client", line)

    def _sh(self, place: str, line: str) -> Done:
        done = self._lab[place].sh(line)
        return Done(done.returncode, done.stdout, done.stderr)
