"""What the docker command prints. Expected texts are those that docker 28.2.2 printed for the same data.

PM-…, LC-… and UD-… are rows of the catalogue of a real engine's behaviours.
"""

from __future__ import annotations

import pytest

from netlab.docker_text import (
    container_list,
    duration,
    inspection,
    matching_containers,
    matching_networks,
    network_list,
    parse_filters,
    port_column,
    port_lines,
    status,
)
from netlab.docker_text.table import aligned, ellipsis
from netlab.errors import NotFound, RequestError
from netlab.gotemplate import Struct, TemplateError

NOW = 1795465000


def port(private, public=None, address="", kind="tcp"):
    return {"PrivatePort": private, "Type": kind} | ({"PublicPort": public, "IP": address} if public else {})


def container(identifier, name, **more):
    usual = {
        "Id": identifier.ljust(64, "0"),
        "Names": [f"/{name}"],
        "Image": "myapp",
        "Command": "sleep 1000000",
        "Created": NOW - 80,
        "Ports": [],
        "Labels": {},
        "State": "running",
        "Status": "Up About a minute",
        "NetworkSettings": {"Networks": {"bridge": {"NetworkID": "970d"}}},
    }
    return usual | more


WEB = container(
    "8ec4d92bbd95",
    "web",
    Image="nginx",
    Command="httpd -f -p 80 -h /www",
    Labels={"b": "2", "a": "1"},
    Ports=[port(443, 8443, "127.0.0.1", "udp"), port(80, 8080, "::"), port(80, 8080, "0.0.0.0")],
    NetworkSettings={"Networks": {"my-net": {"NetworkID": "06fb"}}},
)
PLAIN = container(
    "89dd70cf2c66", "plain", Ports=[port(81), port(92, kind="udp"), port(90, kind="udp"), port(91, kind="udp")]
)
DONE = container(
    "c5b8c9490856", "done", Image="busybox", Command="true", State="exited", Status="Exited (0) 2 minutes ago"
)
ALL = [DONE, PLAIN, WEB]


def network(identifier, name, **more):
    usual = {"Id": identifier.ljust(64, "0"), "Name": name, "Driver": "bridge", "Scope": "local", "Labels": {}}
    return usual | {"Created": "2026-11-23T20:15:43.00837118Z", "EnableIPv6": False, "Internal": False} | more


NETWORKS = [
    network("2d898fb8bb9c", "none", Driver="null"),
    network("06fb6789b6d6", "my-net", Containers={"x": {}}),
    network("970de2cf84e2", "bridge"),
    network("aaaae2cf84e2", "lab", Labels={"z": "1"}),
]


# ── docker ps ──


def test_containers_in_columns():
    """Three spaces, ten characters at least, a shortened command, PM-01 and PM-44 in the ports."""
    assert container_list(ALL, now=NOW) == (
        "CONTAINER ID   IMAGE     COMMAND                  CREATED              STATUS                     PORTS"
        "                                                              NAMES\n"
        'c5b8c9490856   busybox   "true"                   About a minute ago   Exited (0) 2 minutes ago  '
        "                                                                    done\n"
        '89dd70cf2c66   myapp     "sleep 1000000"          About a minute ago   Up About a minute          81/tcp, 90-92/udp'
        "                                                  plain\n"
        '8ec4d92bbd95   nginx     "httpd -f -p 80 -h /…"   About a minute ago   Up About a minute          '
        "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 127.0.0.1:8443->443/udp   web\n"
    )


def test_no_containers():
    """Headings alone, ten characters each."""
    assert container_list([], now=NOW) == "CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES\n"


def test_identifiers_alone_and_whole():
    """-q, --no-trunc."""
    assert container_list(ALL, quiet=True, now=NOW) == "c5b8c9490856\n89dd70cf2c66\n8ec4d92bbd95\n"
    text = container_list([WEB], truncate=False, now=NOW)
    assert WEB["Id"] in text
    assert '"httpd -f -p 80 -h /www"' in text


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("{{.Names}}", "plain\nweb\n"),
        ("{{.Names}}\\t{{.Labels}}", "plain\t\nweb\ta=1,b=2\n"),
        ('{{.Label "a"}}|{{.Networks}}', "|bridge\n1|my-net\n"),
        ("table {{.Names}}\\t{{.State}}", "NAMES     STATE\nplain     running\nweb       running\n"),
        ("table {{.Names}}\\t", "NAMES     \nplain     \nweb       \n"),
        ("table {{upper .Names}}: {{.Networks}}", "NAMES: NETWORKS\nPLAIN: bridge\nWEB: my-net\n"),
        ('table {{lower .Names}}\\t{{.Label "com.x.my-label_b"}}', "NAMES     my label b\nplain     \nweb       \n"),
        (
            "table {{.ID}} x\\t{{truncate .Names 2}}",
            "CONTAINER ID x   NAMES\n89dd70cf2c66 x   pl\n8ec4d92bbd95 x   we\n",
        ),
        ('{{printf "%-10s|" .Names}}', "plain     |\nweb       |\n"),
        ("pretty", "pretty\npretty\n"),
        ("TABLE {{.ID}}", "TABLE 89dd70cf2c66\nTABLE 8ec4d92bbd95\n"),
        ("{{json .Names}} {{.Platform}}", '"plain" <nil>\n"web" <nil>\n'),
    ],
)
def test_containers_by_a_template(form, text):
    """--format of docker ps."""
    assert container_list([PLAIN, WEB], form, now=NOW) == text


def test_containers_as_json_and_raw():
    """--format json (with > spared), --format raw."""
    assert container_list([WEB], "json", now=NOW) == (
        r'{"Command":"\"httpd -f -p 80 -h /…\"","CreatedAt":"2026-11-23 20:15:20 +0000 UTC","ID":"8ec4d92bbd95",'
        r'"Image":"nginx","Labels":"a=1,b=2","LocalVolumes":"0","Mounts":"","Names":"web","Networks":"my-net",'
        r'"Platform":null,"Ports":"0.0.0.0:8080-\u003e80/tcp, [::]:8080-\u003e80/tcp, 127.0.0.1:8443-\u003e443/udp",'
        r'"RunningFor":"About a minute ago","Size":"0B","State":"running","Status":"Up About a minute"}' + "\n"
    )
    assert container_list([DONE], "raw", now=NOW) == (
        'container_id: c5b8c9490856\nimage: busybox\ncommand: "true"\ncreated_at: 2026-11-23 20:15:20 +0000 UTC\n'
        "state: exited\nstatus: Exited (0) 2 minutes ago\nnames: done\nlabels:\nports:\n\n"
    )


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("{{.Names", "failed to parse template: template: :1: unclosed action"),
        (
            "{{.Nope}}",
            (
                'failed to execute template: template: :1:2: executing "" at <.Nope>: can\'t evaluate field Nope in type '
                "*formatter.ContainerContext"
            ),
        ),
        (
            "{{.Names.x}}",
            'failed to execute template: template: :1:8: executing "" at <.Names.x>: can\'t evaluate field x in type string',
        ),
        (
            "{{range .Names}}x{{end}}",
            'failed to execute template: template: :1:8: executing "" at <.Names>: range can\'t iterate over ',
        ),
    ],
)
def test_mistakes_in_templates_of_ps(form, words):
    """They are found even when there is no container."""
    with pytest.raises(TemplateError) as caught:
        container_list([], form, now=NOW)
    assert str(caught.value) == words


# ── docker network ls ──


def test_networks_in_columns():
    """Sorted by name."""
    assert network_list(NETWORKS) == (
        "NETWORK ID     NAME      DRIVER    SCOPE\n"
        "970de2cf84e2   bridge    bridge    local\n"
        "aaaae2cf84e2   lab       bridge    local\n"
        "06fb6789b6d6   my-net    bridge    local\n"
        "2d898fb8bb9c   none      null      local\n"
    )
    assert network_list([]) == "NETWORK ID   NAME      DRIVER    SCOPE\n"


def test_networks_by_a_template():
    """--format, -q, json; c2 comes before c10."""
    names = [network("a", f"c{number}") for number in (10, 2, 1)]
    assert network_list(names, "{{.Name}}") == "c1\nc2\nc10\n"
    assert network_list([NETWORKS[3]], '{{.Labels}} {{.Label "z"}} {{.CreatedAt}}') == (
        "z=1 1 2026-11-23 20:15:43.00837118 +0000 UTC\n"
    )
    assert network_list([NETWORKS[2]], "json") == (
        '{"CreatedAt":"2026-11-23 20:15:43.00837118 +0000 UTC","Driver":"bridge","ID":"970de2cf84e2","IPv4":"false",'
        '"IPv6":"false","Internal":"false","Labels":"","Name":"bridge","Scope":"local"}\n'
    )
    assert network_list(NETWORKS[2:3], quiet=True) == "970de2cf84e2\n"
    assert (
        network_list(NETWORKS[2:3], "raw") == "network_id: 970de2cf84e2\nname: bridge\ndriver: bridge\nscope: local\n\n"
    )
    with pytest.raises(TemplateError, match=r"can't evaluate field Nope in type \*network\.networkContext$") as caught:
        network_list(NETWORKS, "{{.Nope}}")
    assert str(caught.value).startswith("template parsing error: template: :1:2: ")


# ── docker inspect ──


def test_inspection():
    """Four spaces; [] when nothing was found (LC-15); a line for each object by a template."""
    one = Struct({"Name": "web", "Options": {}, "Ports": {"80/tcp": None}})
    assert inspection([one]) == (
        '[\n    {\n        "Name": "web",\n        "Options": {},\n'
        '        "Ports": {\n            "80/tcp": null\n        }\n    }\n]\n'
    )
    assert inspection([]) == "[]\n"
    assert inspection([one, one], "{{.Name}}") == "web\nweb\n"
    assert inspection([one], "json") == '[{"Name":"web","Options":{},"Ports":{"80/tcp":null}}]\n'
    with pytest.raises(
        TemplateError, match=r'^template parsing error: template: :1:2: .* map has no entry for key "Nope"$'
    ):
        inspection([one], "{{.Nope}}")


# ── ports ──


def test_port_column():
    """PM-11, PM-44: neighbours together where both numbers are the same; then those that differ."""
    both = [port(number, number, address) for number in (9000, 9001, 9003) for address in ("0.0.0.0", "::")]
    assert port_column(both) == (
        "0.0.0.0:9000-9001->9000-9001/tcp, [::]:9000-9001->9000-9001/tcp, 0.0.0.0:9003->9003/tcp, [::]:9003->9003/tcp"
    )
    assert port_column([port(84, 5000, "0.0.0.0"), port(85, 85, "::1"), port(86), port(53, 53, "0.0.0.0", "udp")]) == (
        "0.0.0.0:53->53/udp, [::1]:85->85/tcp, 86/tcp, 0.0.0.0:5000->84/tcp"
    )
    assert port_column([]) == ""


PORTS = {
    "443/udp": [{"HostIp": "127.0.0.1", "HostPort": "8443"}],
    "80/tcp": [{"HostIp": "::", "HostPort": "8080"}, {"HostIp": "0.0.0.0", "HostPort": "8080"}],
    "81/tcp": None,
}


def test_port_lines():
    """PM-01, PM-30: docker port; nothing for what is not published."""
    assert port_lines(PORTS, "web") == "80/tcp -> 0.0.0.0:8080\n80/tcp -> [::]:8080\n443/udp -> 127.0.0.1:8443\n"
    assert port_lines(PORTS, "web", "80") == port_lines(PORTS, "web", "80/tcp") == "0.0.0.0:8080\n[::]:8080\n"
    assert port_lines({"80/tcp": None}, "web") == ""
    for wanted in ("99", "81", "443", "80/udp"):
        with pytest.raises(NotFound, match=f"^No public port '{wanted}' published for web$"):
            port_lines(PORTS, "web", wanted)


# ── words ──


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "Less than a second"),
        (1.9, "1 second"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (119, "About a minute"),
        (120, "2 minutes"),
        (3599, "59 minutes"),
        (3600, "About an hour"),
        (5400, "2 hours"),
        (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
        (13 * 86400, "13 days"),
        (14 * 86400, "2 weeks"),
        (59 * 86400, "8 weeks"),
        (60 * 86400, "2 months"),
        (729 * 86400, "24 months"),
        (730 * 86400, "2 years"),
    ],
)
def test_durations(seconds, text):
    """As docker/go-units says them."""
    assert duration(seconds) == text


def test_statuses():
    """Up, Paused, Exited, Created and the rest."""
    assert status("running", now=NOW, started=NOW - 130) == "Up 2 minutes"
    assert status("paused", now=NOW, started=NOW - 5) == "Up 5 seconds (Paused)"
    assert status("exited", now=NOW, finished=NOW - 5, exit_code=137) == "Exited (137) 5 seconds ago"
    assert status("restarting", now=NOW, finished=NOW - 1, exit_code=1) == "Restarting (1) 1 second ago"
    assert [status(state, now=NOW) for state in ("created", "dead", "removing")] == [
        "Created",
        "Dead",
        "Removal In Progress",
    ]


def test_wide_characters_take_two_columns():
    """A Japanese name does not push the column out of line."""
    assert aligned(["NAME\tX", "ネット\tx"]) == "NAME      X\nネット    x\n"
    assert ellipsis("日本語の名前", 6) == "日本…"
    assert ellipsis("abc", 3) == "abc"


# ── filters ──


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (["publish=8080"], "web"),
        (["publish=80"], ""),
        (["publish=8443/udp"], "web"),
        (["publish=8000-9001"], "web"),
        (["expose=80"], "web"),
        (["expose=90-92/udp"], "plain"),
        (["name=we"], "web"),
        (["name=^/web$"], "web"),
        (["name=w.b"], "web"),
        (["name=["], ""),
        (["id=c5"], "done"),
        (["id=5b8"], ""),
        (["label=a"], "web"),
        (["label=a=1"], "web"),
        (["label=a=c"], ""),
        (["label=a", "label=q"], ""),
        (["status=running"], "plain web"),
        (["Status = running"], "plain web"),
        (["status=running", "status=exited"], "done plain web"),
        (["name=web", "status=exited"], ""),
        (["name=web", "name=done"], "done web"),
        (["exited=0"], "done"),
        (["exited=1"], ""),
        (["network=my-net"], "web"),
        (["network=06fb"], "web"),
        (["network=my"], ""),
        (["ancestor=nginx:latest"], "web"),
        (["since=web"], "done plain"),
        (["before=done"], "plain web"),
    ],
)
def test_filters_of_containers(filters, names):
    """--filter of docker ps."""
    assert [one["Names"][0][1:] for one in matching_containers(parse_filters(filters), ALL)] == names.split()


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (["driver=bridge"], "my-net bridge lab"),
        (["driver=br"], ""),
        (["driver=null"], "none"),
        (["name=^my"], "my-net"),
        (["id=06fb"], "my-net"),
        (["scope=swarm"], ""),
        (["type=custom"], "my-net lab"),
        (["type=builtin"], "none bridge"),
        (["label=z=1"], "lab"),
        (["label=z", "label=q"], ""),
        (["dangling=true"], "lab"),
        (["dangling=0"], "none my-net bridge"),
        (["driver=bridge", "name=lab"], "lab"),
        (["name=lab", "name=none"], "none lab"),
    ],
)
def test_filters_of_networks(filters, names):
    """LC-33: --filter of docker network ls."""
    assert [one["Name"] for one in matching_networks(parse_filters(filters), NETWORKS)] == names.split()


@pytest.mark.parametrize(
    ("matching", "filters", "words"),
    [
        (
            matching_containers,
            ["foo"],
            "bad format of filter (expected name=value)",
        ),
        (matching_containers, ["foo=1"], "invalid filter 'foo'"),
        (matching_containers, ["status=bogus"], "invalid filter 'status=bogus'"),
        (matching_containers, ["exited=x"], 'strconv.Atoi: parsing "x": invalid syntax'),
        (
            matching_containers,
            ["publish=x"],
            'error while looking up for publish x: strconv.ParseUint: parsing "x": invalid syntax',
        ),
        (matching_containers, ["since=nosuch"], "No such container: nosuch"),
        (matching_networks, ["foo=1"], "invalid filter 'foo'"),
        (matching_networks, ["type=x"], "invalid filter: 'type'='x'"),
        (
            matching_networks,
            ["dangling=x"],
            'invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")',
        ),
    ],
)
def test_filters_that_are_refused(matching, filters, words):
    """In the engine's words (those of 20.10 begin with a capital letter)."""
    with pytest.raises(RequestError) as caught:
        matching(parse_filters(filters), [])
    assert str(caught.value) == words
