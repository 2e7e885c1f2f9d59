"""The process behind `netlab up`: it owns a lab until the lab is ended, or until somebody ends the process.

It is started by `start`, which waits until the lab answers. What goes wrong until then is told through a pipe; from then on
there is nobody to tell, and all standard streams lead to /dev/null.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from typing import Any

from netlab.errors import NetlabError, SandboxError
from netlab.language import say

TITLE = "netlab: keeper of a lab"
_LAST_ANSWER_SECONDS = 2.0


def start(name: str | None, *, docker: bool, hosts: int) -> str:
    """Start a process that keeps a lab, and return the lab's name once it answers; raises NetlabError with what it said."""
    options = json.dumps({"name": name, "docker": docker, "hosts": hosts})
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "netlab.keeper", options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # neither Ctrl-C nor the end of the terminal may reach it
    )
    assert process.stdout is not None  # noqa: S101 - a pipe, as asked for above
    said = process.stdout.read().decode(errors="replace")  # to its end: the keeper lets go of the pipe
    try:
        report = json.loads(said.splitlines()[-1])
    except (ValueError, IndexError):
        raise SandboxError(
            say(
                en=f"The process of the lab ended before the lab was there. It said:\n{said}",
                ja=f"ラボができる前に、ラボのプロセスが終了しました。プロセスの出力:\n{said}",
            )
        ) from None
    if "error" in report:
        raise NetlabError(report["error"])
    return str(report["name"])


def main() -> None:
    """Keep the lab that the command line describes."""
    from netlab.lab import Lab  # noqa: PLC0415 - not needed by who only starts a keeper
    from netlab.sandbox.syscalls import set_title  # noqa: PLC0415

    options: dict[str, Any] = json.loads(sys.argv[1])
    set_title(TITLE)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        os.getcwd()  # noqa: PTH109 - the caller may have deleted it under us
    except FileNotFoundError:
        os.chdir("/")
    try:
        lab = Lab(options["name"], docker=options["docker"], hosts=options["hosts"])
    except NetlabError as error:
        print(json.dumps({"error": str(error)}))
        sys.exit(1)
    with lab:
        print(json.dumps({"name": lab.name}), flush=True)
        _let_go()
        _await_end(lab.world.sandbox.pid)
    _finish_conversations()


def _let_go() -> None:
    """Hold nothing of the caller's any more: neither its streams nor its working directory."""
    os.dup2(0, 1)
    os.dup2(0, 2)
    os.chdir("/")


def _await_end(pid: int) -> None:
    """Wait until the sandbox has ended, or a signal's handler raises SystemExit.

    The kernel may hand the signal to any thread, and Python runs the handler in this one, which sleeps: a descriptor that
    the signal makes readable wakes it.
    """
    wake, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    with contextlib.suppress(ProcessLookupError):
        sandbox = os.pidfd_open(pid)
        while sandbox not in select.select([sandbox, wake.fileno()], [], [])[0]:
            wake.recv(1)


def _finish_conversations() -> None:
    """Let the answer to the request that ended the lab get out."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(_LAST_ANSWER_SECONDS)


if __name__ == "__main__":
    main()
