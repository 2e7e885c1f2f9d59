"""Go templates, as `docker … --format` has them. All texts are those that docker 28.2.2 prints for the same data."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.gotemplate import NilList, NilMap, Pointer, Struct, TemplateError, render, to_json

ENDPOINT = Pointer(
    {"IPAMConfig": None, "Aliases": NilList(), "IPAddress": "172.18.0.2", "Prefix": 16, "Opts": NilMap()}
)
WEB = Struct({
    "Id": "8ec4d92bbd95",
    "Name": "/web",
    "State": Struct({"Status": "running", "Running": True, "Paused": False, "Dead": False, "ExitCode": 0}),
    "Mounts": [],
    "Config": Struct({"Cmd": ["httpd", "-f"], "Env": NilList(), "Labels": {"b": "2", "a": "1"}}),
    "Networks": {"my-net": ENDPOINT},
    "Ports": {
        "80/tcp": [Struct({"HostIp": "0.0.0.0", "HostPort": "8080"}), Struct({"HostIp": "::", "HostPort": "8080"})],
        "443/udp": [Struct({"HostIp": "127.0.0.1", "HostPort": "8443"})],
    },
})  # fmt: skip


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.Name}}", "/web"),
        ("{{.State.Status}} {{.State.Running}} {{.State.ExitCode}}", "running true 0"),
        ("{{.State}} {{.Mounts}} {{.Config.Env}}", "{running true false false 0} [] []"),
        ("{{.Config.Labels}} {{.Config.Cmd}}", "map[a:1 b:2] [httpd -f]"),
        ("{{.Config.Labels.a}} {{.Config.Labels.zz}}", "1 <no value>"),
        ("{{.Ports}}", "map[443/udp:[{127.0.0.1 8443}] 80/tcp:[{0.0.0.0 8080} {:: 8080}]]"),
        ('{{(index .Networks "my-net").IPAddress}}', "172.18.0.2"),
        ('{{index .Networks "my-net"}}', "{<nil> [] 172.18.0.2 16 map[]}"),
        ('{{index .Networks "none"}}', "<nil>"),
        ('{{(index .Ports "80/tcp" 0).HostPort}}', "8080"),
        ("{{range .Networks}}{{.IPAddress}}{{end}}", "172.18.0.2"),
        ("{{range $k, $v := .Networks}}{{$k}}={{$v.IPAddress}} {{end}}", "my-net=172.18.0.2 "),
        (
            "{{range $p, $c := .Ports}}{{$p}} -> {{(index $c 0).HostPort}}{{println}}{{end}}",
            "443/udp -> 8443\n80/tcp -> 8080\n",
        ),
        ("{{range $i, $e := .Config.Cmd}}{{$i}}:{{$e}} {{end}}", "0:httpd 1:-f "),
        ("{{range $e := .Config.Cmd}}{{$e}} {{end}}", "httpd -f "),
        ("{{range .Mounts}}x{{else}}none{{end}}", "none"),
        ("{{if .State.Running}}yes{{else}}no{{end}}", "yes"),
        ("{{if .State.Paused}}a{{else if .State.Dead}}b{{else}}c{{end}}", "c"),
        ("{{with .State}}{{.Status}}{{end}}{{with .Mounts}}x{{else}}none{{end}}", "runningnone"),
        ("{{json .Config.Labels}} {{json .Config.Env}} {{json .Mounts}}", '{"a":"1","b":"2"} null []'),
        ('{{join .Config.Cmd " "}}', "httpd -f"),
        ("{{.Name | upper}} {{.Name | json | upper}} {{len .Name}} {{.Name | len}}", '/WEB "/WEB" 4 4'),
        (
            '{{title .Name}}|{{slice .Id 0 4}}|{{truncate .Id 5}}|{{pad .Name 2 3}}|{{split .Name "e"}}|{{lower "AB"}}',
            "/Web|8ec4|8ec4d|  /web   |[/w b]|ab",
        ),
        ("a{{- 1 -}} b {{- /* c */ -}} c", "a1bc"),
        ("{{ .Name }} {{- .Id -}} x", "/web8ec4d92bbd95x"),
        ("{{/* c */}}x", "x"),
        ('{{printf "%.5s|%d|%v|%q|%-3s|%3s|%05d" .Id 3 true .Name "a" "b" 42}}', '8ec4d|3|true|"/web"|a  |  b|00042'),
        ('{{printf "%d %s" "x" 3}}', "%!d(string=x) %!s(int=3)"),
        ('{{printf "%s"}} {{printf "a" 1 "b"}}', "%!s(MISSING) a%!(EXTRA int=1, string=b)"),
        (
            '{{eq .State.Status "running"}} {{ne 1 2}} {{eq 1 2 1}} {{lt 1 2}} {{ge "a" "b"}}',
            "true true true true false",
        ),
        ('{{and true false}} {{or "" "x"}} {{not true}}', "false x false"),
        ('{{if and .State.Running (eq .Id "8ec4d92bbd95")}}y{{end}}', "y"),
        ('{{$x := .Name}}{{$x}}{{$x = "b"}}{{$x}} {{$.Name}}', "/webb /web"),
        ('{{"a\\tb"}} {{`raw`}}', "a\tb raw"),
        ("\\t{{.Name}}\\n", "\\t/web\\n"),
        ('{{print 1 2 "a" "b" 3}}', "1 2ab3"),
        ("{{println .Name .Id}}", "/web 8ec4d92bbd95\n"),
        ("table {{.Name}}", "table /web"),
    ],
)
def test_prints(template, text):
    """What docker inspect -f prints."""
    assert render(template, WEB) == text


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{.Name", "template: :1: unclosed action"),
        ("{{.Name ", "template: :1: unclosed action"),
        ("{{.Name}", "template: :1: bad character U+007D '}'"),
        ("{{.Networks.my-net}}", "template: :1: bad character U+002D '-'"),
        ("{{foo}}", 'template: :1: function "foo" not defined'),
        ("line\n{{foo}}", 'template: :2: function "foo" not defined'),
        ("{{end}}", "template: :1: unexpected {{end}}"),
        ("{{else}}", "template: :1: unexpected {{else}}"),
        ("{{if}}x{{end}}", "template: :1: missing value for if"),
        ("{{range}}{{end}}", "template: :1: missing value for range"),
        ("{{}}", "template: :1: missing value for command"),
        ("{{if .Name}}x", "template: :1: unexpected EOF"),
        ("{{$y}}", 'template: :1: undefined variable "$y"'),
        ('{{"x}}', "template: :1: unterminated quoted string"),
        ("{{|json}}", 'template: :1: unexpected "|" in command'),
        ("{{.Name | nope}}", 'template: :1: function "nope" not defined'),
        ("{{(.Name}}", "template: :1: unclosed left paren"),
        ("{{.Name)}}", "template: :1: unexpected right paren"),
        ('{{"a" | "b"}}', "template: :1: non executable command in pipeline stage 2"),
        ("{{&}}", 'template: :1: unexpected "&" in command'),
    ],
)
def test_a_template_that_cannot_be_read(template, words):
    """Go's words for what it cannot parse."""
    with pytest.raises(TemplateError) as caught:
        render(template, WEB)
    assert str(caught.value) == words
    assert caught.value.reading


@pytest.mark.parametrize(
    ("template", "at", "words"),
    [
        ("{{.Nope}}", "1:2 .Nope", 'map has no entry for key "Nope"'),
        ("x\n{{.Nope}}", "2:2 .Nope", 'map has no entry for key "Nope"'),
        ("{{.State.Nope}}", "1:8 .State.Nope", 'map has no entry for key "Nope"'),
        ("{{json .Nope}}", "1:7 .Nope", 'map has no entry for key "Nope"'),
        ("{{range .Nope}}x{{end}}", "1:8 .Nope", 'map has no entry for key "Nope"'),
        ("{{.Name.foo}}", "1:7 .Name.foo", "can't evaluate field foo in type interface {}"),
        ("{{.State.Status.a.b}}", "1:8 .State.Status.a.b", "can't evaluate field a in type interface {}"),
        ("{{index .Config.Cmd 9}}", "1:2 index .Config.Cmd 9", "error calling index: index out of range: 9"),
        ("{{index .Networks 3}}", "1:2 index .Networks 3", "error calling index: value has type int; should be string"),
        ("{{nil}}", "1:2 nil", "nil is not a command"),
        ("{{range .Name}}x{{end}}", "1:8 .Name", "range can't iterate over /web"),
        ("{{.Name 3}}", "1:2 .Name", "Name is not a method but has arguments"),
        ("{{3 4}}", "1:2 3", "can't give argument to non-function 3"),
        ("{{json}}", "1:2 json", "wrong number of args for json: want 1 got 0"),
        ("{{index}}", "1:2 index", "wrong number of args for index: want at least 1 got 0"),
        ("{{.Name | len 3}}", "1:10 len", "wrong number of args for len: want 1 got 2"),
        ("{{upper 3}}", "1:8 3", "expected string; found 3"),
        ('{{truncate .Name "x"}}', '1:17 "x"', 'expected integer; found "x"'),
        ("{{upper .Config.Cmd}}", "1:15 .Config.Cmd", "wrong type for value; expected string; got []interface {}"),
        ("{{.Config.Cmd | upper}}", "1:16 upper", "wrong type for value; expected string; got []interface {}"),
        ('{{eq 1 "a"}}', '1:2 eq 1 "a"', "error calling eq: incompatible types for comparison"),
        ("{{eq 1}}", "1:2 eq 1", "error calling eq: missing argument for comparison"),
    ],
)
def test_a_template_that_does_not_fit(template, at, words):
    """Go's words, with the line, the column and the part that is to blame."""
    with pytest.raises(TemplateError) as caught:
        render(template, WEB)
    place, _, source = at.partition(" ")
    assert str(caught.value) == f'template: :{place}: executing "" at <{source}>: {words}'
    assert not caught.value.reading


def test_a_typed_struct_names_its_type():
    """docker ps --format '{{.Nope}}' and '{{.Names.x}}'."""

    class Row(Struct):
        go_type = "*formatter.ContainerContext"

    row = Row({"Names": "web", "Label": lambda name: f"<{name}>"})
    with pytest.raises(
        TemplateError, match=r"at <\.Nope>: can't evaluate field Nope in type \*formatter.ContainerContext$"
    ):
        render("{{.Nope}}", row)
    with pytest.raises(TemplateError, match=r"at <\.Names\.x>: can't evaluate field x in type string$"):
        render("{{.Names.x}}", row)
    assert render('{{.Label "a"}}', row) == "<a>"
    with pytest.raises(TemplateError, match=r"at <\.Label>: wrong number of args for Label: want 1 got 0$"):
        render("{{.Label}}", row)


def test_what_is_not_supported_says_so():
    """define, template, block, break and continue."""
    with pytest.raises(TemplateError, match=r"\{\{block\}\} is not supported here"):
        render('{{block "a" .}}x{{end}}', WEB)


def test_pointers_within_maps_print_as_addresses():
    """{{.Networks}} does not show what a student looks for; on a real engine neither."""
    assert render("{{.Networks}}", WEB).startswith("map[my-net:0xc")


def test_json_is_written_as_go_writes_it():
    """Keys of maps are sorted, fields of structs keep their order; docker ps escapes <, > and &."""
    data = Struct({"b": {"y": 1, "x": "ü"}, "a": NilMap(), "c": {}})
    assert to_json(data) == '{"b":{"x":"ü","y":1},"a":null,"c":{}}'
    assert to_json([data["b"]], indent=4) == '[\n    {\n        "x": "ü",\n        "y": 1\n    }\n]'
    assert to_json("a->b", escape_html=True) == '"a-\\u003eb"'


@given(
    st.lists(
        st.sampled_from(
            [
                "{{",
                "}}",
                ".Name",
                "range ",
                "if ",
                "end",
                "else",
                "|",
                "(",
                ")",
                "$x",
                ":=",
                '"a"',
                "json ",
                "-",
                " ",
                "7",
                "nil",
            ]
        ),
        max_size=14,
    )
)
def test_never_fails_otherwise(parts):
    """Whatever is typed is either printed or refused with a TemplateError."""
    with contextlib.suppress(TemplateError):
        render("".join(parts), WEB)
