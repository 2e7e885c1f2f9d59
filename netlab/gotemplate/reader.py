"""Reading a template: from text to the list of plain texts, actions and blocks that it consists of."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any, NoReturn

from netlab.errors import RequestError

_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?P<field>\.[^\W\d]\w*)|(?P<variable>\$\w*)
    |(?P<number>[+-]?\d+(?:\.\d+)?)|(?P<word>[^\W\d]\w*)|(?P<sign>:=|[.|(),=])|(?P<end>-?\}\})""",
    re.VERBOSE,
)
_TERMINATED = ("field", "variable", "word")
_CONSTANTS = ("true", "false", "nil")
_REFUSED = ("block", "define", "template", "break", "continue")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class TemplateError(RequestError):
    """A template that cannot be read (`reading`), or that does not fit its data. Nothing of it is printed then."""

    def __init__(self, message: str, *, reading: bool) -> None:
        super().__init__(message)
        self.reading = reading


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


@dataclass(slots=True)
class Operand:
    """A literal, a field, a variable, a function or a pipe in parentheses, and the fields asked of it."""

    kind: str
    value: Any
    at: int
    source: str
    fields: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Pipe:
    """Commands, each of which gets the value of the one before it; the last value may be given to variables."""

    commands: list[list[Operand]]
    variables: list[str]
    assigns: bool


@dataclass(slots=True)
class Block:
    """A control structure (if, range, with) or an action ("")."""

    kind: str
    pipe: Pipe
    body: list[Block | str] = field(default_factory=list)
    otherwise: list[Block | str] = field(default_factory=list)


class Reader:
    """Reads one template; `functions` are the names of those that it may call."""

    def __init__(self, text: str, functions: Container[str]) -> None:
        self._text, self._functions = text, functions
        self._at = 0
        self._tokens: list[_Token] = []
        self._known = ["$"]

    def read(self) -> list[Block | str]:
        """Return what the template consists of; raises TemplateError."""
        body, stop = self._list()
        if stop:
            self._fail(f"unexpected {{{{{stop}}}}}")
        return body

    def _list(self) -> tuple[list[Block | str], str]:
        """Read until {{end}}, {{else}} or the end of the text; also return the word that stopped it."""
        body: list[Block | str] = []
        while self._next_action(body):
            word = self._tokens[0].text if self._tokens and self._tokens[0].kind == "word" else ""
            if word in _REFUSED:
                self._fail(f"{{{{{word}}}}} is not supported here")
            if word in ("end", "else"):
                self._tokens.pop(0)
                return body, word
            known = len(self._known)
            if word in ("if", "range", "with"):
                self._tokens.pop(0)
                body.append(self._control(word))
                del self._known[known:]
            else:
                body.append(Block("", self._pipe("command")))
        return body, ""

    def _control(self, word: str) -> Block:
        block = Block(word, self._pipe(word))
        block.body, stop = self._list()
        if stop == "else":
            self._spaces()
            if self._tokens and self._tokens[0].text in ("if", "with"):
                block.otherwise = [self._control(self._tokens.pop(0).text)]
                return block
            block.otherwise, stop = self._list()
        if stop != "end":
            self._fail("unexpected {{else}}" if stop else "unexpected EOF")
        return block

    def _next_action(self, body: list[Block | str]) -> bool:
        """Put the text up to the next action into `body`, and split that action into tokens."""
        while True:
            start = self._text.find("{{", self._at)
            plain = self._text[self._at : None if start < 0 else start]
            if start < 0:
                body.append(plain)
                self._at = len(self._text)
                return False
            trimmed = re.match(r"\{\{-\s", self._text[start:])
            body.append(plain.rstrip() if trimmed else plain)
            self._at = start + (3 if trimmed else 2)
            comment = re.compile(r"\s*/\*.*?\*/(\s+-)?\}\}", re.DOTALL).match(self._text, self._at)
            if comment is None:
                self._tokenize()
                return True
            self._at = comment.end()
            self._trim_after(trimmed=bool(comment[1]))

    def _tokenize(self) -> None:
        self._tokens = []
        while True:
            trim = re.compile(r"\s+-\}\}").match(self._text, self._at)
            if trim:
                self._at = trim.end()
                self._trim_after(trimmed=True)
                return
            match = _TOKEN.match(self._text, self._at)
            if match is None or match["end"] == "-}}":
                self._fail_at(self._at)
            self._at = match.end()
            if match["end"]:
                return
            token = _Token(str(match.lastgroup), match[0], match.start())
            if token.kind in _TERMINATED and not re.compile(r"[\s.,|:()=]|\}\}|$").match(self._text, self._at):
                self._fail(f"bad character {self._named(self._at)}")
            self._tokens.append(token)

    def _trim_after(self, *, trimmed: bool) -> None:
        if trimmed:
            while self._at < len(self._text) and self._text[self._at].isspace():
                self._at += 1

    def _fail_at(self, at: int) -> NoReturn:
        if at >= len(self._text):
            self._fail("unclosed action")
        if self._text[at] in '"`':
            self._fail("unterminated quoted string" if self._text[at] == '"' else "unterminated raw quoted string")
        if self._text[at].isascii() and self._text[at].isprintable():
            self._fail(f'unexpected "{self._text[at]}" in command')
        self._fail(f"unrecognized character in action: {self._named(at)}")

    def _named(self, at: int) -> str:
        return f"U+{ord(self._text[at]):04X} '{self._text[at]}'"

    def _fail(self, message: str) -> NoReturn:
        line = self._text.count("\n", 0, self._at) + 1
        raise TemplateError(f"template: :{line}: {message}", reading=True)

    def _pipe(self, context: str, closing: str = "") -> Pipe:
        """Read a pipe: optional variables, then commands with bars between them."""
        self._spaces()
        variables, assigns = self._declarations(context)
        commands: list[list[Operand]] = [[]]
        while self._tokens and self._tokens[0].text != closing:
            token = self._tokens.pop(0)
            if token.text == "|":
                if not commands[-1]:
                    self._fail('unexpected "|" in command')
                commands.append([])
            elif len(commands) > 1 and not commands[-1] and token.kind in ("string", "number"):
                self._fail(f"non executable command in pipeline stage {len(commands)}")
            elif token.kind != "space":
                commands[-1].append(self._operand(token))
        if closing and not self._tokens:
            self._fail("unclosed left paren")
        if not commands[-1]:
            self._fail(f"missing value for {context}")
        self._known += variables
        return Pipe(commands, variables, assigns)

    def _spaces(self) -> None:
        while self._tokens and self._tokens[0].kind == "space":
            self._tokens.pop(0)

    def _declarations(self, context: str) -> tuple[list[str], bool]:
        """Return the variables before := or =, if there are any, and whether it was = (they must be known then)."""
        signs = [token.text for token in self._tokens if token.kind != "space"][:4]
        count = 0
        if re.fullmatch(r"\$\w* :?=", " ".join(signs[:2])):
            count = 1
        elif context == "range" and re.fullmatch(r"\$\w* , \$\w* :=", " ".join(signs)):
            count = 2
        found = []
        for _ in range(count):
            found.append(self._tokens.pop(0).text)
            self._spaces()
            self._tokens.pop(0)
            self._spaces()
        assigns = count == 1 and signs[1] == "="
        for name in found if assigns else ():
            if name not in self._known:
                self._fail(f'undefined variable "{name}"')
        return found, assigns

    def _operand(self, token: _Token) -> Operand:
        """Read one operand and the fields that are asked of it."""
        self._check(token)
        operand, end = Operand(token.kind, token.text, token.at, ""), token.at + len(token.text)
        if token.kind == "string":
            operand.value = _unquoted(token.text)
        elif token.kind == "number":
            operand.value = float(token.text) if "." in token.text else int(token.text)
        elif token.kind == "field":
            operand.kind, operand.value, operand.fields = "sign", ".", [token.text[1:]]
        elif token.text == "(":
            operand.kind, operand.value = "pipe", self._pipe("parenthesized pipeline", ")")
            end = self._tokens.pop(0).at + 1
        chain = []
        while self._tokens and self._tokens[0].kind == "field":
            chain.append(self._tokens.pop(0))
        if chain:
            operand.at = chain[0].at  # Go names the second part of a chain as the place of an error
            operand.fields += [following.text[1:] for following in chain]
            end = chain[-1].at + len(chain[-1].text)
        operand.source = self._text[token.at : end]
        return operand

    def _check(self, token: _Token) -> None:
        """Refuse what cannot be an operand."""
        if token.kind == "variable" and token.text not in self._known:
            self._fail(f'undefined variable "{token.text}"')
        if token.kind == "word" and token.text not in _CONSTANTS and token.text not in self._functions:
            self._fail(f'function "{token.text}" not defined')
        if token.text == ")":
            self._fail("unexpected right paren")
        if token.kind == "sign" and token.text not in ".(":
            self._fail(f'unexpected "{token.text}" in operand')


def _unquoted(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), text[1:-1])
