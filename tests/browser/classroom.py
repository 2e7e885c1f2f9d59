"""The project as a student starts it: one command, and the address that it prints."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "artefacts" / f"notebooks-{os.getpid()}"
PATIENCE = 60.0


def wait_until(condition, what, seconds=PATIENCE):
    """Return what `condition` gives as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain: {what}"
        time.sleep(0.02)
    return found


def processes():
    """Every process's parent, by pid; zombies are no longer there."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, *_ = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if state != "Z":
            found[int(status.parent.name)] = int(parent)
    return found


def descendants(pid):
    """The pids of all processes below one, at whatever depth."""
    parents = processes()
    found, layer = set(), {pid}
    while layer:
        layer = {child for child, parent in parents.items() if parent in layer}
        found |= layer
    return found


def alive(pids):
    return sorted(set(pids) & processes().keys())


class Classroom:
    """One JupyterLab, started by `scripts/start`, with settings and sockets of its own."""

    def __init__(self, language, port, home):
        self.language = language
        self.home = home
        # netlab's own folder is short because a socket's path may have 107 letters only
        folders = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
        folders |= {"IPYTHONDIR": "ipython", "JUPYTERLAB_SETTINGS_DIR": "settings", "NETLAB_RUNTIME_DIR": "labs"}
        folders |= {"JUPYTERLAB_WORKSPACES_DIR": "workspaces", "HOME": "home"}
        folders |= {"NETLAB_PROGRESS": "progress"}
        own = {name: home / folder for name, folder in folders.items()}
        for folder in own.values():
            folder.mkdir()
        self.leave_the_chapters_as_they_are(own["JUPYTERLAB_SETTINGS_DIR"])
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "NETLAB_L"))}
        environment = inherited | {name: str(folder) for name, folder in own.items()} | {"NETLAB_VENV": sys.prefix}
        self.server = subprocess.Popen(
            [ROOT / "scripts" / "start", "--no-browser", "--lang", language, "--port", str(port)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = []
        threading.Thread(target=lambda: self.said.extend(self.server.stdout), daemon=True).start()

    def open(self):
        """Wait until the address is printed."""
        self.address = wait_until(self.printed_address, "scripts/start prints an address")
        self.base, self.token = re.match(r"(http://[^/]+)/.*token=(\w+)", self.address).groups()
        return self

    @staticmethod
    def leave_the_chapters_as_they_are(settings):
        folder = settings / "@jupyterlab" / "docmanager-extension"
        folder.mkdir(parents=True)
        (folder / "plugin.jupyterlab-settings").write_text('{"autosave": false}')

    def printed_address(self):
        assert self.server.poll() is None, "".join(self.said)
        found = re.findall(r"http://127\S+", "".join(self.said))
        return found[0] if found else None

    def fetch(self, method, path, body=None):
        """Ask JupyterLab's server, as the page does; return the bytes of the answer."""
        request = urllib.request.Request(  # noqa: S310 - the address is the server's own
            f"{self.base}/{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"token {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - the same
            return answer.read()

    def ask(self, method, path, body=None):
        """The same; return what the answer's JSON says."""
        return json.loads(self.fetch(method, path, body) or b"null")

    def new_notebook(self, name):
        """Make an empty notebook; return its path as JupyterLab names it."""
        kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
        content = {"cells": [], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
        NOTEBOOKS.mkdir(parents=True, exist_ok=True)
        path = (NOTEBOOKS / f"{name}.ipynb").relative_to(ROOT).as_posix()
        self.ask("PUT", f"api/contents/{path}", {"type": "notebook", "content": content})
        return path

    def lab_names(self):
        """The names of the labs that run: one socket each."""
        return sorted(path.stem for path in (self.home / "labs").glob("netlab/*.sock"))

    def kernel_of(self, path):
        """The kernel of a notebook, as the server sees it: how many pages are connected, and what it is doing."""
        found = [session["kernel"] for session in self.ask("GET", "api/sessions") if session["path"] == path]
        return found[0] if found else {"connections": 0, "execution_state": "not there"}

    def kernel_pids(self):
        return {pid for pid in descendants(self.server.pid) if b"ipykernel_launcher" in command_line(pid)}

    def end_kernels(self):
        for kernel in self.ask("GET", "api/kernels"):
            with contextlib.suppress(HTTPError):  # it has ended by itself
                self.ask("DELETE", f"api/kernels/{kernel['id']}")
        wait_until(lambda: not self.ask("GET", "api/kernels"), "all kernels have ended")

    def close(self):
        """End the server, and by their pids whatever of it would outlive it."""
        started = {self.server.pid, *descendants(self.server.pid)}
        self.server.terminate()
        try:
            self.server.wait(PATIENCE)
        finally:
            for pid in alive(started - {self.server.pid}):
                os.kill(pid, signal.SIGKILL)
            self.server.kill()
            self.server.wait()
            self.server.stdout.close()


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
