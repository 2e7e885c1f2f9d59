"""The docker command lines that networks and containers stand for, and what of them is no configuration of the kernel."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from netlab import images
from netlab.docker.records import Attachment, NetworkRecord
from netlab.language import say
from netlab.places.container import Container
from netlab.publish import PortBinding


def of_network(record: NetworkRecord) -> tuple[str, ...]:
    """Return the line that makes a network; for the one on docker0, what the engine does when it starts."""
    if not record.user_defined:
        return (say(en="dockerd (when it starts)", ja="dockerd (起動時)"),)
    words = ["docker", "network", "create"]
    words += [] if record.driver == "bridge" else ["--driver", record.driver]
    for config in record.configs if record.chosen_by_user else ():
        words += ["--subnet", config.subnet]
        words += ["--ip-range", config.ip_range] if config.ip_range else []
        words += ["--gateway", config.gateway] if config.gateway else []
        for name, address in config.aux_addresses.items():
            words += ["--aux-address", f"{name}={address}"]
    words += ["--internal"] if record.internal else []
    words += ["--ipv6"] if record.ipv6 else []
    for key, value in record.options.items():
        words += ["--opt", f"{key}={value}"]
    for key, value in record.labels.items():
        words += ["--label", f"{key}={value}"]
    return (shlex.join([*words, record.name]),)


def of_container(container: Container, publish: Sequence[PortBinding] | None = None) -> tuple[str, ...]:
    """Return the lines that make a container and connect it to its networks, with these published ports or its own."""
    asked = container.asked
    verb = ["run", "-d"] if container.running else ["create"]
    words = ["docker", *verb, "--name", container.name]
    words += ["--hostname", asked.hostname] if asked.hostname else []
    attached = list(container.attachments.values())
    words += _network_words(asked.mode, attached[0] if attached else None)
    for binding in asked.publish if publish is None else publish:
        words += ["-p", _published(binding)]
    words += ["-P"] if asked.publish_all else []
    words += [word for port, protocol in asked.expose for word in ("--expose", f"{port}/{protocol}")]
    words += [word for one in asked.dns for word in ("--dns", one)]
    words += [word for name, address in asked.extra_hosts for word in ("--add-host", f"{name}:{address}")]
    words += [word for key, value in asked.environment.items() for word in ("-e", f"{key}={value}")]
    words += [word for key, value in asked.labels.items() for word in ("-l", f"{key}={value}")]
    lines = [shlex.join([*words, asked.image, *asked.command])]
    lines += [
        shlex.join(["docker", "network", "connect", *_options(one), one.network, container.name])
        for one in attached[1:]
    ]
    return tuple(lines)


def _network_words(mode: str, attachment: Attachment | None) -> list[str]:
    if attachment is None:
        return ["--network", mode]
    if attachment.network == "bridge":
        return ["--mac-address", attachment.mac] if attachment.mac else []
    return ["--network", attachment.network, *_options(attachment, "--network-alias")]


def _options(attachment: Attachment, alias: str = "--alias") -> list[str]:
    words = [word for one in attachment.aliases for word in (alias, one)]
    words += ["--ip", attachment.address] if attachment.address else []
    words += ["--ip6", attachment.address6] if attachment.address6 else []
    return words


def _published(binding: PortBinding) -> str:
    address = binding.host_address or ""
    written = f"[{address}]:" if ":" in address else f"{address}:" if address else ""
    ports = binding.host_port
    host = "" if ports is None else str(ports[0]) if len(ports) == 1 else f"{ports[0]}-{ports[-1]}"
    protocol = "" if binding.protocol == "tcp" else f"/{binding.protocol}"
    return (
        f"{written}{host}:{binding.container_port}{protocol}"
        if host or written
        else f"{binding.container_port}{protocol}"
    )


def page(container: Container) -> str:
    """Return the title of the page that a container serves on port 80, or nothing."""
    role = images.find(container.image).role
    return str(role["title"]) if role["kind"] == "web" and not container.asked.command else ""


def left_out(container: Container) -> tuple[str, ...]:
    """Say what runs for a container and is not among the commands."""
    return tuple(_left_out(container))


def _left_out(container: Container) -> Iterator[str]:
    if container.asked.command:
        command = shlex.join(container.asked.command)
        yield say(en=f"The command does not run: {command}", ja=f"コマンドは実行されません: {command}")
    if any(name not in ("bridge", "none", "host") for name in container.endpoints):
        yield say(
            en="The name server at 127.0.0.11 does not run: containers find each other by address only.",
            ja="127.0.0.11 の DNS サーバーは動きません。コンテナ同士はアドレスでだけ通信できます。",
        )
    for port, addresses in container.ports.items():
        where = ", ".join(addresses)
        yield say(
            en=f"docker-proxy does not run: {where} leads to {port} from outside, not from the host itself.",
            ja=f"docker-proxy は動きません。{where} から {port} へは、ホスト自身からではなく外部からつながります。",
        )
