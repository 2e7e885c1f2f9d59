"""Docker's own words around errors: what the command line says, and what it says for the engine."""

from __future__ import annotations

import click

from netlab.errors import NetlabError, in_docker_words

USAGE_STATUS = 125  # a flag that cannot be read; also `docker run` that the engine refuses

_UNSUPPORTED = {
    "a lab has no volumes, its containers see the machine's files, read-only": (
        "--volume", "-v", "--mount", "--volumes-from", "--volume-driver", "--tmpfs", "--read-only",
    ),
    "a lab does not limit memory and processors": (
        "--memory", "-m", "--memory-swap", "--memory-reservation", "--cpus", "--cpu-shares", "-c", "--cpuset-cpus",
        "--pids-limit", "--ulimit", "--shm-size", "--gpus",
    ),
    "containers of a lab have all rights within the lab, and none outside": (
        "--cap-add", "--cap-drop", "--privileged", "--security-opt", "--device", "--userns", "--user", "-u", "--group-add",
    ),
    "images are roles of the lab, with a command of their own": ("--entrypoint", "--platform", "--pull", "--init"),
    "use network aliases instead: --network-alias": ("--link", "--link-local-ip", "-l"),
    "a lab has no volumes, health checks and Windows containers": ("--filter volume", "--filter health", "--filter isolation"),
    "it is not part of the course yet": (
        "--filter is-task", "--filter until",
        "--sysctl", "--env-file", "--label-file", "--domainname", "--health-cmd", "--no-healthcheck", "--pid", "--ipc",
        "--uts", "--workdir", "-w", "--log-driver", "--log-opt", "--stop-signal", "--stop-timeout", "--runtime",
        "--cgroupns", "--cidfile", "--attach", "-a", "--detach-keys", "--sig-proxy", "--size", "-s", "--checkpoint",
        "--since", "--until", "--attachable", "--ingress", "--scope", "--config-only", "--config-from", "--ipam-driver",
        "--ipam-opt", "--type", "--signal", "--driver-opt", "--gw-priority", "--details", "--ipv4",
    ),
}  # fmt: skip
_WHY = {option: why for why, options in _UNSUPPORTED.items() for option in options}

_COMMANDS = {
    "attach", "build", "builder", "buildx", "commit", "compose", "context", "cp", "diff", "events", "export", "history",
    "image", "images", "import", "info", "kill", "load", "login", "logout", "manifest", "pause", "plugin", "pull", "push",
    "rmi", "save", "search", "stats", "swarm", "system", "tag", "top", "trust", "unpause", "update", "version", "volume",
    "wait",
}  # fmt: skip


def check_supported(option: str) -> None:
    """Refuse by name what docker has and netlab's docker has not; raises Rejected."""
    if option in _WHY:
        raise Rejected(_unsupported(option), USAGE_STATUS)


def _unsupported(option: str) -> str:
    return f"netlab's docker does not support {option}: {_WHY[option]}"


def from_daemon(error: Exception) -> str:
    """Return an error as the docker command prints what an engine says."""
    return f"Error response from daemon: {in_docker_words(error)}"


class Rejected(NetlabError):
    """The docker command itself refuses, before or beside the engine; `status` is its exit status.

    What is `final` is printed as it is; `docker run` adds to the rest where to find help.
    """

    def __init__(self, message: str, status: int = 1, *, final: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.final = final


def of_run(text: str, command: str = "run") -> str:
    """Return a refusal of `docker run` or `docker create`, which ends with where to find help."""
    return f"docker: {text}\n\nRun 'docker {command} --help' for more information"


def of_usage(error: click.UsageError) -> tuple[str, int]:
    """Return what docker says about a command line that it cannot read, and its exit status."""
    context = error.ctx
    path = context.command_path if context else "docker"
    usage = f"Usage:  {path} {_pieces(context)}".rstrip()
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and context:
        return context.get_help(), 0
    more = f"\n\n{usage}\n\nRun '{path} --help' for more information"
    if isinstance(error, click.NoSuchOption):
        name = error.option_name
        if name in _WHY:
            return _unsupported(name), USAGE_STATUS
        if name.startswith("--"):
            return f"unknown flag: {name}{more}", USAGE_STATUS
        return f"unknown shorthand flag: {name[1:]!r} in {name}{more}", USAGE_STATUS
    if isinstance(error, click.BadOptionUsage):
        return f"flag needs an argument: {error.option_name}{more}", USAGE_STATUS
    if isinstance(error, click.BadParameter) and isinstance(error.param, click.Option):
        names = error.param.opts
        flag = ", ".join([*(one for one in names if len(one) == 2), next(one for one in names if len(one) > 2)])
        value = getattr(error, "value", "")
        return f'invalid argument "{value}" for "{flag}" flag: {error.message}{more}', USAGE_STATUS
    if isinstance(context.command if context else None, click.Group):
        return _of_command(error, path)
    if "at least" in error.message:
        more = more.replace("Run '", "See '")
    return f"docker: '{path}' {error.message}{more}", 1


def _of_command(error: click.UsageError, path: str) -> tuple[str, int]:
    name = getattr(error, "command_name", None) or error.message.partition("'")[2].rpartition("'")[0]
    if name in _COMMANDS and path == "docker":
        return f"netlab's docker does not support the command {name}. What it does: docker --help", 1
    usage = f"\n\nUsage:  {path}" if path != "docker" else ""
    return f"docker: unknown command: {path} {name}{usage}\n\nRun '{path} --help' for more information", 1


def _pieces(context: click.Context | None) -> str:
    return str(getattr(context.command, "synopsis", "COMMAND")) if context else "COMMAND"
