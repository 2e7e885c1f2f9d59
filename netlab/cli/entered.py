"""Sockets and commands in a lab's places, for a process that stays outside: each is made by a child that goes in."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict

from netlab import enter
from netlab.errors import NetlabError
from netlab.kernel.netlink import RouteSocket
from netlab.sandbox.command import Completed

_Work = Callable[[socket.socket], None]  # what is done inside, and where the answer goes


class Entered:
    """Some places of a lab by name: the process to enter each by, and the name of its namespace if it has one there."""

    def __init__(self, places: Mapping[str, tuple[int, str | None]]) -> None:
        self._places = places

    def open_socket(self, place: str, family: int, kind: int, protocol: int) -> socket.socket:
        """Return a new socket that lives in a place's namespace; raises OSError."""

        def make(answers: socket.socket) -> None:
            with socket.socket(family, kind, protocol) as made:
                socket.send_fds(answers, [b"."], [made.fileno()])

        with self._inside(place, make) as answers:
            _, descriptors, _, _ = socket.recv_fds(answers, 1, 1)
        if not descriptors:
            raise OSError(f"no socket in {place}")
        return socket.socket(fileno=descriptors[0])

    def route_socket(self, place: str) -> RouteSocket:
        """Return a netlink socket of a place."""
        return RouteSocket(self.open_socket(place, socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE).detach())

    def run_command(self, place: str, argv: Sequence[str], *, timeout: float | None = None) -> Completed:
        """Run a program in a place to its end; one that is not there ends with 127, as in a shell."""

        def run(answers: socket.socket) -> None:
            try:
                done = subprocess.run(list(argv), capture_output=True, text=True, check=False, timeout=timeout)
                said = Completed(done.returncode, done.stdout, done.stderr)
            except FileNotFoundError:
                said = Completed(127, "", f"{argv[0]}: not found")
            answers.sendall(json.dumps(asdict(said)).encode())

        with self._inside(place, run) as answers, answers.makefile("rb") as text:
            return Completed(**json.loads(text.read()))

    @contextlib.contextmanager
    def _inside(self, place: str, work: _Work) -> Iterator[socket.socket]:
        ours, theirs = socket.socketpair()
        child = os.fork()
        if child == 0:
            self._do(place, work, theirs)
        theirs.close()
        try:
            yield ours
        finally:
            ours.close()
            os.waitpid(child, 0)

    def _do(self, place: str, work: _Work, answers: socket.socket) -> None:
        try:
            enter.become_part_of(*self._places[place])
            work(answers)
        except (OSError, NetlabError, subprocess.TimeoutExpired) as error:
            sys.stderr.write(f"netlab: {place}: {error}\n")
        finally:
            os._exit(0)
