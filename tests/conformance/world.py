"""What a scenario talks to: one engine, whichever it is, with a host around it and a network beyond that."""

from __future__ import annotations

import re
import shlex
import textwrap
from abc import ABC, abstractmethod
from dataclasses import dataclass

HOST = "203.0.113.10"
OUTSIDE = "203.0.113.50"
ROUTER = "203.0.113.1"
NAME_SERVER = "198.51.100.53"
SITE = "198.51.100.80"
SITE_NAME = "www.example.com"
IDLE, WEB = "myapp", "nginx"  # images: one that waits, one that serves port 80

_NOISE = re.compile(r"^(See 'docker|Run 'docker|Usage:|exit status \d|$)")
_LONG_ID = re.compile(r"\b[0-9a-f]{64}\b")
_SHORT_ID = re.compile(r"\b[0-9a-f]{12}\b")

# How curl ends, as a reader says it.
_ENDINGS = {0: "reply", 7: "refused", 28: "timeout", 52: "reset", 56: "reset"}

# Answers every connection with the address that it came from.
_WHO = textwrap.dedent("""
    import socket, socketserver, sys
    class Who(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(4096)
            body = self.client_address[0].removeprefix("::ffff:")
            self.request.sendall(f"HTTP/1.0 200 OK\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n{body}".encode())
    class Server(socketserver.ThreadingTCPServer):
        address_family = socket.AF_INET6
        allow_reuse_address = daemon_threads = True
    Server((sys.argv[2], int(sys.argv[1])), Who).serve_forever()
""").strip()

# The same for UDP.
_WHO_UDP = textwrap.dedent("""
    import socket, sys
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("0.0.0.0", int(sys.argv[1])))
    while True:
        client = server.recvfrom(4096)[1]
        server.sendto(client[0].encode(), client)
""").strip()


class Surprise(AssertionError):
    """Something that a scenario only needs on its way did not work."""


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def words(self) -> str:
        """What was said on standard error, less identifiers, prefixes and where to find help."""
        lines = [line.strip() for line in self.stderr.splitlines()]
        text = "\n".join(line for line in lines if not _NOISE.match(line))
        text = text.removeprefix("docker: ").removeprefix("Error response from daemon: ").removeprefix("Error: ")
        return _SHORT_ID.sub("<id>", _LONG_ID.sub("<id>", text)).rstrip(".")

    @property
    def refusal(self) -> tuple[bool, str]:
        """Whether it was refused, and with which words."""
        return self.status != 0, self.words


class World(ABC):
    """One engine and what surrounds it. Command lines are those that a student types."""

    @abstractmethod
    def docker(self, line: str) -> Done:
        """Do a docker command line, without the word docker."""

    @abstractmethod
    def inside(self, container: str, line: str) -> Done:
        """Run a shell line with the machine's own tools in the network of a container."""

    @abstractmethod
    def host(self, line: str) -> Done:
        """Run a shell line on the engine's host."""

    @abstractmethod
    def outside(self, line: str) -> Done:
        """Run a shell line on a machine beside the host."""

    @abstractmethod
    def swarm(self) -> None:
        """Make the engine the manager of a swarm, until the scenario ends."""

    @abstractmethod
    def iptables(self, table: str) -> list[str]:
        """Return the rules of one of iptables' tables, as `iptables -S` prints them."""

    # ── for all of them ───────────────────────────────────────────────────────────────────────────────────────────

    def must(self, line: str) -> str:
        """Do a docker command line that has to work; return what it printed."""
        done = self.docker(line)
        if done.status:
            raise Surprise(f"docker {line} ended with {done.status}: {done.stderr or done.stdout}")
        return done.stdout.rstrip("\n")

    def idle(self, *names: str, options: str = "") -> None:
        """Start containers that wait."""
        for name in names:
            self.must(f"run -d --name {name} {options} {IDLE}")

    def web(self, name: str, options: str = "") -> None:
        """Start a web server on port 80."""
        self.must(f"run -d --name {name} {options} {WEB}")

    def at(self, place: str, line: str) -> Done:
        """Run a shell line in a place: host, outside, or a container."""
        if place in {"host", "outside"}:
            return getattr(self, place)(line)
        return self.inside(place, line)

    def serve(self, place: str, port: int, address: str = "::") -> None:
        """Start a server that answers with the address of whoever asks."""
        self._serve(place, ["python3", "-c", _WHO, str(port), address], f'ss -Hltn "sport = :{port}"')

    def serve_udp(self, place: str, port: int) -> None:
        """Start a server that answers datagrams with the address of whoever sent them."""
        self._serve(place, ["python3", "-c", _WHO_UDP, str(port)], f'ss -Hlun "sport = :{port}"')

    def _serve(self, place: str, program: list[str], shows: str) -> None:
        done = self.at(
            place,
            f"setsid {shlex.join(program)} </dev/null >/dev/null 2>&1 & for i in $(seq 100); do "
            f"{shows} | grep -q . && exit; sleep 0.05; done; exit 1",
        )
        if done.status:
            raise Surprise(f"no server starts at {place}: {done.stderr}")

    def who_udp(self, place: str, address: str, port: int) -> str:
        """Return the address that a server of `serve_udp` saw, or nothing."""
        return self.at(place, f"echo hello | nc -u -w 1 {address} {port}").stdout.strip()

    def web_reach(self, place: str, url: str) -> str:
        """Ask for a page; return reply, refused, reset or timeout."""
        done = self.at(place, f"curl -gsv --noproxy '*' --max-time 1.5 -o /dev/null http://{url}/")
        if "Connection reset by peer" in done.stderr:
            return "reset"  # also where it came so early that curl calls it no connection
        return _ENDINGS.get(done.status, f"curl ended with {done.status}")

    def who(self, place: str, url: str) -> str:
        """Return the address that a server of `serve` saw, or how it failed."""
        done = self.at(place, f"curl -gs --noproxy '*' --max-time 1.5 http://{url}/")
        return done.stdout.strip() if done.status == 0 else _ENDINGS.get(done.status, f"curl ended with {done.status}")

    def ping(self, place: str, target: str) -> str:
        """Ping once by address; return answered, lost, or unreachable."""
        done = self.at(place, f"ping -n -c 1 -W 1 {target}")
        if done.status == 0:
            return "answered"
        return "unreachable" if "unreachable" in (done.stdout + done.stderr).lower() else "lost"

    def dig(self, container: str, question: str) -> tuple[str, tuple[str, ...]]:
        """Ask a container's internal name server; return the code and the answers in order of their text."""
        done = self.inside(container, f"dig @127.0.0.11 +tries=1 +time=3 +noedns {question}")
        code = re.search(r"status: (\w+)", done.stdout)
        if code is None:
            return "no answer", ()
        answers = re.findall(r"^[^;\s]\S*\s+\d+\s+IN\s+(?:A|AAAA|PTR|CNAME)\s+(\S+)$", done.stdout, re.MULTILINE)
        return code.group(1), tuple(sorted(answers))

    def address(self, container: str, network: str = "bridge") -> str:
        """Return the address that `docker inspect` gives."""
        return self.must(
            f"inspect -f '{{{{(index .NetworkSettings.Networks \"{network}\").IPAddress}}}}' {container}"
        ).strip()

    def addresses(self, place: str) -> dict[str, list[str]]:
        """Return the IPv4 addresses of a place, with their prefix lengths, by interface."""
        found: dict[str, list[str]] = {}
        for line in self.at(place, "ip -4 -o address").stdout.splitlines():
            fields = line.split()
            found.setdefault(fields[1], []).append(fields[3])
        return found

    def routes(self, place: str) -> list[str]:
        """Return the IPv4 routes of a place."""
        return sorted(line.strip() for line in self.at(place, "ip -4 route").stdout.splitlines())

    def file(self, container: str, path: str) -> str:
        """Return what a process in the container reads."""
        return self.must(f"exec {container} cat {path}")

    def config(self, network: str) -> str:
        """Return a network's address configuration, as inspect shows it."""
        return self.must(f"network inspect -f '{{{{json .IPAM.Config}}}}' {network}")

    def bridge(self, network: str) -> str:
        """Return the name of a network's bridge."""
        return "br-" + self.must(f"network inspect -f '{{{{.Id}}}}' {network}")[:12]
