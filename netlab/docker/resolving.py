"""The engine's end of the internal name server: starts it when first needed, and tells it what names mean."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from netlab.dns import Member
from netlab.errors import LabClosed, NetlabError
from netlab.language import say
from netlab.sandbox import command
from netlab.sandbox.wire import receive, send
from netlab.world import World

_ANSWER_SECONDS = 20.0


class NameServer:
    """The process that answers at 127.0.0.11 for the containers of one host. It ends with the host."""

    def __init__(self, world: World, host: str) -> None:
        self._world = world
        self._host = host
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._number = 0
        self._known: set[str] = set()  # ids of the networks that it has been told of

    def start(self) -> None:
        """Start the process if it does not run; it takes a moment to answer, which nobody has to wait for."""
        if self._control is not None:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(_ANSWER_SECONDS)
        log = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        modules = os.pathsep.join(path for path in sys.path if path)
        try:
            with theirs:
                command.start(
                    self._world.sandbox,
                    self._host,
                    [sys.executable, "-m", "netlab.servers.resolver"],
                    [theirs.fileno(), log, log],
                    more_environment={"PYTHONPATH": modules, "PYTHONDONTWRITEBYTECODE": "1"},
                ).close()
        finally:
            os.close(log)
        self._control = ours

    def learn(self, network: str, name: str) -> None:
        """Tell of a network, by its id and its name."""
        if network not in self._known:
            self._ask({"verb": "network", "id": network, "name": name})
            self._known.add(network)

    def knows(self, network: str) -> bool:
        """Whether it has been told of a network."""
        return network in self._known

    def forget(self, network: str) -> None:
        """Tell that a network is gone."""
        self._known.discard(network)
        self._ask({"verb": "no network", "id": network})

    def learn_member(self, network: str, container: str, member: Member) -> None:
        """Tell which names mean a container on a network, and its addresses there."""
        names, addresses = list(member.names), list(member.addresses)
        self._ask({"verb": "member", "id": network, "container": container, "names": names, "addresses": addresses})

    def forget_member(self, network: str, container: str) -> None:
        """Tell that a container is on a network no more."""
        self._ask({"verb": "no member", "id": network, "container": container})

    def admit(
        self,
        container: str,
        networks: Sequence[str],
        upstreams: Sequence[str],
        *,
        namespace: int | None = None,
        aliases: Mapping[str, str] | None = None,
        forward_single_labels: bool = True,
    ) -> tuple[int, int]:
        """Have a container served, or, without a namespace, change what is known of it; return its UDP and TCP port."""
        answer = self._ask(
            {
                "verb": "client",
                "name": container,
                "networks": list(networks),
                "upstreams": list(upstreams),
                "aliases": dict(aliases or {}),
                "forward_single_labels": forward_single_labels,
            },
            [] if namespace is None else [namespace],
        )
        return answer["udp"], answer["tcp"]

    def dismiss(self, container: str) -> None:
        """Have a container served no more; harmless when it is not."""
        if self._control is not None:
            self._ask({"verb": "no client", "name": container})

    def queries(self, since: int = 0) -> tuple[int, list[dict[str, Any]]]:
        """Return how many questions there have been, and those from a number on, as far as they are kept."""
        if self._control is None:
            return 0, []
        answer = self._ask({"verb": "log", "since": since})
        return answer["logged"], answer["entries"]

    def _ask(self, message: dict[str, Any], descriptors: Sequence[int] = ()) -> dict[str, Any]:
        self.start()
        with self._lock:
            if self._control is None:
                raise LabClosed(
                    say(en="The internal name server is not running.", ja="内部 DNS サーバーが動いていません。")
                )
            self._number += 1
            try:
                send(self._control, {"number": self._number, **message}, descriptors)
                answer, _, _ = receive(self._control)
                while answer is not None and answer["number"] != self._number:
                    answer, _, _ = receive(self._control)  # the answer to something that was interrupted
            except OSError as error:
                raise LabClosed(
                    say(
                        en=f"The internal name server does not answer ({error}). Start again: lab.reset()",
                        ja=f"内部 DNS サーバーが応答しません ({error})。最初からやり直すには: lab.reset()",
                    )
                ) from None
        if answer is None:
            raise LabClosed(
                say(
                    en="The internal name server has ended. Start again: lab.reset()",
                    ja="内部 DNS サーバーが終了しています。最初からやり直すには: lab.reset()",
                )
            )
        if "error" in answer:
            raise NetlabError(
                say(
                    en=f"The internal name server cannot do that: {answer['error']}",
                    ja=f"内部 DNS サーバーにはできません: {answer['error']}",
                )
            )
        return answer

    def close(self) -> None:
        """Let the process end."""
        if self._control is not None:
            self._control.close()
            self._control = None
