"""The macvlan driver: containers stand on the host's own network, next to it, without a bridge, NAT or rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netlab import ops
from netlab.drivers.bridge import Endpoint, addresses_given
from netlab.errors import RequestError
from netlab.language import say

MODES = ("bridge", "private", "vepa", "passthru")


@dataclass(frozen=True, slots=True)
class MacvlanNetwork:
    """The interface of the host whose network the containers are on, and whether they hear each other there."""

    host: str
    parent: str
    mode: str = "bridge"


def network(host: str, options: Mapping[str, str]) -> MacvlanNetwork:
    """Read the options `parent` and `macvlan_mode`; raises RequestError in the engine's words."""
    mode = options.get("macvlan_mode", "bridge")
    if mode not in MODES:
        raise RequestError(f"requested macvlan mode '{mode}' is not valid, 'bridge' mode is the macvlan driver default")
    if not options.get("parent"):
        raise RequestError(
            say(
                en="a macvlan network needs an interface of the host to stand on: parent=eth0 (an engine without it makes "
                "an interface of type dummy)",
                ja="macvlan ネットワークには、土台となるホストのインターフェースが必要です: parent=eth0 "
                "(指定がないとき、エンジンは dummy という種類のインターフェースを作ります)",
            )
        )
    return MacvlanNetwork(host, options["parent"], mode)


def connect(network: MacvlanNetwork, endpoint: Endpoint) -> list[ops.Operation]:
    """Return the operations that put a container onto the network; a default route is not among them."""
    container, interface = endpoint.container, endpoint.interface
    return [
        ops.AddMacvlan(
            network.host,
            interface,
            network.parent,
            container,
            index=endpoint.index,
            mac=endpoint.mac,
            mode=network.mode,
        ),
        ops.SetUp(container, interface),
        *addresses_given(endpoint),
    ]
