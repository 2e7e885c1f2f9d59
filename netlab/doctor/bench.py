"""A sandbox with one place in it, to try things in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from netlab import founding, ops
from netlab.kernel.apply import apply
from netlab.sandbox.client import Sandbox
from netlab.world import World

PLACE = "doctor"
SEARCH_PATH = os.environ.get("PATH", "") + ":/usr/bin:/bin"
_SECONDS = 10
_ENTER = "import sys; from netlab.enter import run; sys.exit(run(int(sys.argv[1]), None, ['true']))"


class Refused(Exception):
    """What was tried did not work; the message says how that showed."""


class Bench:
    """Where the doctor tries things. Raises SandboxError when it cannot be had."""

    def __init__(self) -> None:
        self.world = World(Sandbox())
        self.features = self.world.sandbox.features
        try:
            files = {"hosts": founding.hosts_file(PLACE, None), "resolv.conf": ""}
            asked = self.world.begin(PLACE, {"kind": "idle"}, hostname=PLACE, files=files, title=PLACE, is_host=True)
            self.pid = self.world.finish(PLACE, founding.wait(asked), "host").machine_pid
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the sandbox."""
        self.world.close()
        self.world.sandbox.close()

    def apply(self, *operations: ops.Operation) -> None:
        """Apply operations; raises KernelRefused."""
        apply(operations, self.world)

    def run(self, *argv: str) -> str:
        """Run a command in the place and return what it said; raises Refused unless it ends well."""
        done = self.world.run_command(PLACE, argv, timeout=_SECONDS)
        if done.returncode != 0 or done.timed_out:
            raise Refused((done.stderr or done.stdout).strip() or f"{argv[0]}: {done.returncode}")
        return done.stdout

    def enter(self) -> None:
        """Run a command in the place from another process, as a terminal does; raises Refused."""
        tried([sys.executable, "-P", "-c", _ENTER, str(self.pid)])


def tried(argv: Sequence[str]) -> None:
    """Run a command on the machine itself; raises Refused unless it ends well."""
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PATH": SEARCH_PATH},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(str(error)) from None
    if done.returncode != 0:
        raise Refused(done.stderr.strip() or f"{argv[0]}: {done.returncode}")
