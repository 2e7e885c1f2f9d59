"""One docker command line on its way: the lab it is for, where its words go, and how a command in a container is run."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TextIO

import click

from netlab.docker.command.words import from_daemon
from netlab.docker.engine import Engine
from netlab.docker.lab import DockerLab
from netlab.errors import NetlabError, NotFound, RequestError
from netlab.interrupts import held_back
from netlab.places.container import Container

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")


@dataclass(frozen=True)
class Session:
    """A command that is to run in a container, with the terminal of whoever asked."""

    container: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    interactive: bool = False
    ends: str = ""  # the id of the container that ends with it


Attach = Callable[[DockerLab, Session, TextIO, TextIO], int]


@dataclass
class Call:
    """What every command gets: click's context holds it as `obj`."""

    lab: DockerLab
    out: TextIO
    err: TextIO
    attach: Attach

    @property
    def engine(self) -> Engine:
        """The engine that does it."""
        return self.lab.engine

    def say(self, text: str, *, end: str = "\n") -> None:
        """Print on the standard output, at once."""
        self.out.write(text + end)
        self.out.flush()

    def complain(self, text: str) -> None:
        """Print on the standard error, at once."""
        self.err.write(text + "\n")
        self.err.flush()

    @contextlib.contextmanager
    def locked(self) -> Iterator[Engine]:
        """Hold the lab while it is changed."""
        with self.lab.lock, held_back():
            yield self.engine

    def container(self, reference: str) -> Container:
        """Return the container of that name or id, or with that beginning of an id; raises NotFound in Docker's words."""
        known = self.engine.containers
        plain = reference.removeprefix("/")
        if plain in known:
            return known[plain]
        found = [one for one in known.values() if plain and one.id.startswith(plain)]
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            raise NotFound(f"Multiple IDs found with provided prefix: {plain}")
        raise NotFound(f"No such container: {reference}")

    def check_name(self, name: str) -> str:
        """Return a new container's name; raises RequestError in Docker's words when it cannot have it."""
        plain = name.removeprefix("/")
        if not _NAME.fullmatch(plain):
            raise RequestError(f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
        if plain in self.engine.containers:
            raise RequestError(
                f'Conflict. The container name "/{plain}" is already in use by container '
                f'"{self.engine.containers[plain].id}". You have to remove (or rename) that container to be able to reuse '
                "that name."
            )
        return plain

    def for_each(self, references: Iterable[str], do: Callable[[str], object], *, forgiving: bool = False) -> list[str]:
        """Do something for each name and print the name, as docker does; return those for which it was refused.

        With `forgiving`, what is not there is passed over in silence.
        """
        failed = []
        for reference in references:
            try:
                do(reference)
            except NetlabError as error:
                if forgiving and isinstance(error, NotFound):
                    continue
                self.complain(from_daemon(error))
                failed.append(reference)
            else:
                self.say(reference)
        return failed


pass_call = click.make_pass_decorator(Call)
