"""What docker's command line makes of its words, without a lab: specifications, refusals and their exit statuses."""

from __future__ import annotations

import io

import pytest

from netlab.docker.command import execute, made_up
from netlab.docker.command.options import specification
from netlab.docker.command.words import Rejected
from netlab.publish import PortBinding

DEFAULTS = {
    "networks": (),
    "aliases": (),
    "ip": None,
    "ip6": None,
    "publish": (),
    "publish_all": False,
    "expose": (),
    "dns": (),
    "dns_search": (),
    "dns_options": (),
    "extra_hosts": (),
    "mac_address": None,
    "environment": {},
    "labels": {},
    "restart": "no",
    "auto_remove": False,
    "hostname": None,
    "interactive": False,
    "tty": False,
}


def specified(*words, **given):
    return specification(words, {**DEFAULTS, **given})


def complaint(*argv):
    """Run a line that no lab is needed for; return what it complained of, and its status."""
    out, err = io.StringIO(), io.StringIO()
    status = execute(None, argv, out, err)
    assert not out.getvalue()
    return err.getvalue(), status


RUN = "\n\nUsage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nRun 'docker run --help' for more information\n"
PS = "\n\nUsage:  docker ps [OPTIONS]\n\nRun 'docker ps --help' for more information\n"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("run", "--foo", "alpine"), f"unknown flag: --foo{RUN}"),
        (("run", "-Z", "alpine"), f"unknown shorthand flag: 'Z' in -Z{RUN}"),
        (("run", "--name"), f"flag needs an argument: --name{RUN}"),
        (("run", "--dns", "foo", "nginx"), (f'invalid argument "foo" for "--dns" flag: IP address is not correctly '
                                           f"formatted: foo{RUN}")),
        (("run", "--add-host", "foo", "nginx"), (f'invalid argument "foo" for "--add-host" flag: bad format for '
                                                f'add-host: "foo"{RUN}')),
        (("run", "-e", "", "nginx"), f'invalid argument "" for "-e, --env" flag: invalid environment variable: {RUN}'),
        (("run", "--rm=perhaps", "nginx"), (f'invalid argument "perhaps" for "--rm" flag: strconv.ParseBool: parsing '
                                           f'"perhaps": invalid syntax{RUN}')),
        (("ps", "-n", "x"), (f'invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid '
                            f"syntax{PS}")),
        (("ps", "-f", "x"), f'invalid argument "x" for "-f, --filter" flag: bad format of filter (expected name=value){PS}'),
    ],
)  # fmt: skip
def test_flags_that_cannot_be_read(argv, words):
    """Texts and the status 125 are those of docker 28.2.2."""
    assert complaint(*argv) == (words, 125)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("rename", "a"), "'docker rename' requires 2 arguments\n\nUsage:  docker rename CONTAINER NEW_NAME\n\nRun"),
        (("ps", "extra"), "'docker ps' accepts no arguments\n\nUsage:  docker ps [OPTIONS]\n\nRun"),
        (
            ("rm",),
            "'docker rm' requires at least 1 argument\n\nUsage:  docker rm [OPTIONS] CONTAINER [CONTAINER...]\n\nSee",
        ),
        (("network", "frob"), "unknown command: docker network frob\n\nUsage:  docker network\n\nRun"),
        (("frob",), "unknown command: docker frob\n\nRun"),
    ],
)
def test_commands_that_cannot_be_read(argv, words):
    path = " ".join(argv[: 1 + (argv[0] == "network")]).removesuffix(" frob").removesuffix("frob")
    where = f"docker {path}".rstrip()
    assert complaint(*argv) == (f"docker: {words} '{where} --help' for more information\n", 1)


@pytest.mark.parametrize("option", ["--volume", "-v", "--mount", "--cap-add", "--memory", "--privileged", "--link"])
def test_an_option_that_is_not_supported_is_named(option):
    text, status = complaint("run", option, "x", "alpine")
    assert text.startswith(f"netlab's docker does not support {option}: ")
    assert status == 125


@pytest.mark.parametrize(
    "line", [("ps", "-f", "health=none"), ("network", "create", "--ipv4=false", "n1"), ("rm", "-l", "x")]
)
def test_what_other_commands_do_not_support_is_named_too(line):
    text, status = complaint(*line)
    assert text.startswith("netlab's docker does not support -")
    assert status == 125


def test_a_command_that_is_not_supported_is_named():
    text, status = complaint("build", ".")
    assert text.startswith("netlab's docker does not support the command build.")
    assert status == 1


def test_lc_34_several_networks_exclude_host_and_none():
    with pytest.raises(Rejected, match="conflicting options: cannot attach both user-defined and non-user-defined"):
        specified("alpine", networks=("n1", "host"))


def test_networks_with_their_own_options():
    asked = specified("alpine", networks=("name=n1,alias=one,alias=two,ip=10.0.0.5", "n2"), aliases=("three",))
    first, second = asked.attachments
    assert (first.network, first.address, first.aliases) == ("n1", "10.0.0.5", ("one", "two", "three"))
    assert (second.network, asked.mode) == ("n2", "n1")


def test_ports_and_command():
    asked = specified("nginx", "sh", "-c", "x", publish=("8080:80",), expose=("90-91",))
    assert asked.publish == (PortBinding(None, range(8080, 8081), 80),)
    assert asked.expose == ((90, "tcp"), (91, "tcp"))
    assert asked.command == ("sh", "-c", "x")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"mac_address": "foo"}, "foo is not a valid mac address"),
        ({"auto_remove": True, "restart": "always"}, "conflicting options: cannot specify both --restart and --rm"),
        (
            {"restart": "sometimes"},
            (
                "Error response from daemon: invalid restart policy: unknown policy 'sometimes'; "
                "use one of 'no', 'always', 'on-failure', or 'unless-stopped'"
            ),
        ),
        ({"restart": "on-failure:x"}, "invalid restart policy format: maximum retry count must be an integer"),
        (
            {"restart": "always:3"},
            (
                "Error response from daemon: invalid restart policy: maximum retry count cannot be used with restart policy "
                "'always'"
            ),
        ),
        (
            {"restart": "on-failure:-1"},
            "Error response from daemon: invalid restart policy: maximum retry count cannot be negative",
        ),
        ({"restart": ":1"}, "invalid restart policy format: no policy provided before colon"),
        ({"aliases": ("x",)}, "network-scoped aliases are only supported for user-defined networks"),
        ({"publish": ("abc:80",)}, "invalid hostPort: abc"),
        ({"expose": ("a:1",)}, "invalid port format for --expose: a:1"),
        ({"ip": "foo", "networks": ("n1",)}, "Error response from daemon: invalid IPv4 address: foo"),
        ({"networks": ("",)}, "no name set for network"),
        ({"networks": ("n1", "name=n1,alias=x")}, 'network "n1" is specified multiple times'),
    ],
)
def test_what_is_refused_before_the_engine_is_asked(given, words):
    with pytest.raises(Rejected) as caught:
        specified("alpine", **given)
    assert str(caught.value) == words


def test_made_up_names_differ():
    taken = set()
    for _ in range(700):
        taken.add(made_up.name(taken))
    assert len(taken) == 700


def test_a_group_alone_shows_its_help():
    text, status = complaint("network")
    assert text.startswith(
        "Usage:  docker network COMMAND\n\nManage networks\n\nCommands:\n  connect     Connect a container"
    )
    assert status == 0


def test_the_help_says_how_to_ask_what_a_command_did():
    text, _ = complaint()
    assert "lab.commands()" in text
    assert "netlab changes" in text
