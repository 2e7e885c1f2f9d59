"""The program `docker` of a lab's host: asks the lab, and runs what is to run in a container with its own terminal.

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from typing import Any, NoReturn

SOCKET = "/run/netlab/bin/.docker.sock"
_CANNOT = 1


def ask(verb: str, **fields: object) -> dict[str, Any]:
    """Ask the lab; return its answer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(SOCKET)
        connection.sendall(json.dumps({"verb": verb, **fields}).encode() + b"\n")
        with connection.makefile("rb") as stream:
            line = stream.readline()
    answer = json.loads(line or b'{"error": "the lab has ended"}')
    if "error" in answer:
        sys.stderr.write(f"docker: {answer['error']}\n")
        sys.exit(_CANNOT)
    found: dict[str, Any] = answer["answer"]
    return found


def enter(session: dict[str, Any]) -> NoReturn:
    """Become a command in a container."""
    if not session["interactive"]:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    joined = ["--target", str(session["pid"]), "--mount", "--net", "--uts", "--wdns=/"]
    try:
        os.execvpe("nsenter", ["nsenter", *joined, "--", *session["argv"]], {**os.environ, **session["environment"]})
    except OSError as error:
        sys.stderr.write(f"docker: nsenter: {error.strerror}\n")
        os._exit(_CANNOT)


def attend(session: dict[str, Any]) -> int:
    """Run a command in a container, then have the container ended; return the command's status as a shell does."""
    child = os.fork()
    if child == 0:
        enter(session)
    for number in (signal.SIGINT, signal.SIGQUIT):  # a terminal sends them to the command itself
        signal.signal(number, signal.SIG_IGN)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = status if status >= 0 else 128 - status
    ask("docker-ended", container=session["ends"], status=status)
    return status


def main() -> None:
    """Do one command line."""
    try:
        answer = ask("docker", argv=sys.argv[1:])
    except OSError as error:
        sys.stderr.write(f"docker: the lab does not answer: {error.strerror}\n")
        sys.exit(_CANNOT)
    sys.stdout.write(answer["stdout"])
    sys.stdout.flush()
    sys.stderr.write(answer["stderr"])
    sys.stderr.flush()
    session = answer["session"]
    if session is None:
        sys.exit(answer["status"])
    if not session["ends"]:
        enter(session)
    sys.exit(attend(session))


if __name__ == "__main__":
    main()
