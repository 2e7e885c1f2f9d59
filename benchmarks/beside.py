"""What netlab and a real engine do alike, measured by the same words on both: name queries, and TCP throughput.

Both are worlds of tests/conformance: an engine's host, and a machine outside, beside it.
"""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable

from ours import NetlabEngine
from world import HOST, Done, World

from netlab import Lab

FIGURES = ("queries", "between", "published")
THROUGHPUTS = FIGURES[1:]

_NETWORK = "measured"
_ASKED = 20  # containers, whose names are asked for in turn
_QUERY_SECONDS = 1
_STREAM_SECONDS = 1
_PORT, _PUBLISHED = 5201, 8201

# One client, one question at a time: it waits for each answer before it asks for the next name.
_CLIENT = """
import itertools, socket, struct, sys, time
names, seconds = sys.argv[2:], float(sys.argv[1])
questions = [
    struct.pack("!6H", number, 0x100, 1, 0, 0, 0) + bytes([len(name)]) + name.encode() + struct.pack("!x2H", 1, 1)
    for number, name in enumerate(names)
]
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect(("127.0.0.11", 53))
client.settimeout(5)
start = time.perf_counter()
for count, question in enumerate(itertools.cycle(questions)):
    if (took := time.perf_counter() - start) >= seconds:
        break
    client.send(question)
    answer = client.recv(512)
    number, flags, _, answers = struct.unpack_from("!4H", answer)
    assert question[:2] == answer[:2] and flags & 0x800F == 0x8000 and answers == 1, answer
print(count / took)
"""

_SERVER = f"iperf3 --server --one-off --daemon --port {_PORT}"
_LISTENS = f'for i in $(seq 200); do ss -Hltn "sport = :{_PORT}" | grep -q . && exit; sleep 0.02; done; exit 1'


class CabledLab(NetlabEngine):
    """A lab with one more machine outside, on a cable to the host.

    The real engine's world is wired like that; a lab's client is on a switch, and each packet passes one bridge more.
    """

    def __init__(self) -> None:
        super().__init__()
        self._outside = _machine_on_a_cable(self._lab)

    def outside(self, line: str) -> Done:
        return self._sh(self._outside, line)


def _machine_on_a_cable(lab: Lab) -> str:
    machine = lab.namespace("beside")
    uplink, eth0 = lab.host.add_veth("uplink", "eth0", peer_place=machine)
    uplink.add_address("192.0.2.10/24").up()
    eth0.add_address("192.0.2.1/24").up()
    machine.add_route("default", via="192.0.2.10")
    return machine.name


def why_no_throughput() -> str:
    """Return what this machine lacks for measuring throughput, or nothing."""
    return "" if shutil.which("iperf3") else "iperf3 is not installed: apt-get install iperf3"


class Measured:
    """One engine with what the measurements need, on a network of its own: containers by name, and a published port."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._names = [f"named-{number}" for number in range(_ASKED)]
        world.must(f"network create {_NETWORK}")
        world.idle(*self._names, "asking", "sending", options=f"--network {_NETWORK}")
        world.idle("receiving", options=f"--network {_NETWORK} -p {_PUBLISHED}:{_PORT}")

    def step(self, figure: str) -> Callable[[], float]:
        """Return what measures one of the figures."""
        receiving = self._world.address("receiving", _NETWORK)
        return {
            "queries": self._queries,
            "between": lambda: self._throughput("sending", f"--client {receiving} --port {_PORT}"),
            "published": lambda: self._throughput("outside", f"--client {HOST} --port {_PUBLISHED}"),
        }[figure]

    def _queries(self) -> float:
        """Return the answers a second."""
        return float(self._at("asking", shlex.join(["python3", "-c", _CLIENT, str(_QUERY_SECONDS), *self._names])))

    def _throughput(self, sender: str, words: str) -> float:
        """Return the bits that one stream brings over each second, in billions, as the receiver counts them."""
        self._at("receiving", _SERVER)
        self._at("receiving", _LISTENS)
        said = json.loads(self._at(sender, f"iperf3 {words} --time {_STREAM_SECONDS} --json"))
        return float(said["end"]["sum_received"]["bits_per_second"]) / 1e9

    def _at(self, place: str, line: str) -> str:
        done = self._world.at(place, line)
        if done.status:
            raise RuntimeError(
                f"{type(self._world).__name__}, {place}: {line.splitlines()[0]}: {done.stderr or done.stdout}"
            )
        return done.stdout
