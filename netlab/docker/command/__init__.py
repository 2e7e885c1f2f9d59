"""The docker command, done on a lab: parsed by click, with docker's own options, layouts, words and exit statuses.

`execute` is the one way in. The notebook (`%docker`), the terminal (`netlab docker`) and the lab's own hosts (`docker`)
differ only in where the words go, and in how a command in a container gets its terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

import click

from netlab.docker.command import living, looking, networks, running
from netlab.docker.command.call import Attach, Call, Session
from netlab.docker.command.grammar import Group, help_option
from netlab.docker.command.words import Rejected, from_daemon, of_usage
from netlab.docker.lab import AtHost, DockerLab
from netlab.errors import NetlabError
from netlab.gotemplate import TemplateError
from netlab.interrupts import held_back
from netlab.language import say
from netlab.sandbox.client import AgentRefusal

__all__ = ["DockerLab", "Session", "end", "execute"]

_INTERRUPTED = 130
_SIGNALLED = 128


def execute(lab: DockerLab, argv: Sequence[str], out: TextIO, err: TextIO, attach: Attach | None = None) -> int:
    """Do a docker command line, without the word docker, on a lab; return its exit status.

    `attach` runs a command in a container for whoever asked; without it, its output goes to `out` and `err` as it comes.
    """
    call = Call(lab, out, err, attach or run_here)
    try:
        return int(_docker.main(list(argv), "docker", standalone_mode=False, obj=call) or 0)
    except click.UsageError as error:
        text, status = of_usage(error)
        call.complain(text)
        return status
    except Rejected as error:
        call.complain(str(error))
        return error.status
    except TemplateError as error:
        call.complain(str(error))
    except NetlabError as error:
        call.complain(from_daemon(error))
    except AgentRefusal as error:
        call.complain(f"Error response from daemon: the sandbox refuses: {error.strerror or error}")
    except click.exceptions.Abort:  # what click makes of an interrupt
        raise KeyboardInterrupt from None
    return 1


def run_here(lab: DockerLab, session: Session, out: TextIO, err: TextIO) -> int:
    """Run a command in a container from this process, and pass its output on as it comes."""
    said: list[str] = []

    def hear(stream: str, text: str) -> None:
        said.append(text)
        target = out if stream == "stdout" else err
        target.write(text)
        target.flush()

    assignments = [f"{name}={value}" for name, value in session.environment.items()]
    argv = ["env", "--", *assignments, *session.argv] if assignments else list(session.argv)
    status = _INTERRUPTED
    try:
        done = lab.world.run_command(session.container, argv, hear=hear)
        status = done.returncode if done.returncode >= 0 else _SIGNALLED - done.returncode
        if session.interactive and not said and status == 0:
            err.write(_no_keyboard())
    finally:
        if session.ends:
            end(lab, session.ends, status, "".join(said))
    return status


def _no_keyboard() -> str:
    return say(
        en="Nobody can type in here, so the command had nothing to read and has ended. To type, run the same line in a "
        "terminal: netlab docker … Here, write what is to be run: docker exec web ip address\n",
        ja="ここでは何も入力できないので、コマンドはすぐに終わりました。入力したいときは、ターミナルで同じ行を実行します: "
        "netlab docker … ここでは、実行したいものを書いてください: docker exec web ip address\n",
    )


def end(lab: DockerLab, container: str, status: int, said: str = "") -> None:
    """End a container whose command, run in the foreground, has ended with a status; harmless when it is gone."""
    with lab.lock, held_back():
        for engine in lab.engines.values():
            for one in [one for one in engine.containers.values() if one.id == container]:
                if said and one.running:
                    engine.write_log(one.name, said)
                engine.stop(one.name, seconds=0)
                one.exit_code = status


def _afterwards() -> str:
    return "\n" + say(
        en="What a command did to the kernel:\n"
        "  lab.commands()   the last one, as ip, nft and sysctl commands\n"
        "  lab.changes()    what is different since the last look; in a terminal: netlab changes\n",
        ja="コマンドがカーネルにしたことを見るには:\n"
        "  lab.commands()   最後のコマンドを ip、nft、sysctl のコマンドで\n"
        "  lab.changes()    前に見たときからの変化。ターミナルでは netlab changes\n",
    )


def _choose_host(context: click.Context, _: click.Parameter, host: str | None) -> None:
    if host is not None:
        context.obj.lab = AtHost(context.obj.lab, host)


def _made() -> Group:
    docker = Group("docker", add_help_option=False, help="A self-sufficient runtime for containers, in a lab")
    docker.synopsis, docker.closing = "[OPTIONS] COMMAND", _afterwards
    network = Group("network", add_help_option=False, help="Manage networks")
    container = Group("container", add_help_option=False, help="Manage containers")
    words = "The host of the lab whose engine is asked (default: the first)"
    docker.params.append(click.Option(["-H", "--host"], expose_value=False, callback=_choose_host, help=words))
    for group in (docker, container):
        running.register(group)
        living.register(group)
        looking.register(group)
        group.params.append(help_option())
    looking.register_inspect(docker)
    looking.register_inspect_container(container)
    looking.register_list(container, "ls")
    networks.register(network)
    network.params.append(help_option())
    docker.add_command(network)
    docker.add_command(container)
    return docker


_docker = _made()
