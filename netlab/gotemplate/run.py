"""Running a template that has been read: from its parts and some data to text."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

from netlab.gotemplate.functions import CallError, fits, true
from netlab.gotemplate.reader import Block, Operand, Pipe, TemplateError
from netlab.gotemplate.values import MISSING, Struct, field_of, kind, shown

_NOTHING: Any = object()
_CONSTANTS = {"true": True, "false": False}
_TYPES = {str: "string", int: "int", list[str]: "[]string"}


class Run:
    """One run of a template; `text` is only for saying where an error is."""

    def __init__(self, text: str, functions: Mapping[str, Callable[..., Any]]) -> None:
        self._text, self._functions = text, functions
        self._written: list[str] = []
        self._variables: list[tuple[str, Any]] = []
        self._untyped = False

    def execute(self, body: Sequence[Block | str], data: Any) -> str:
        """Return what the template prints; raises TemplateError."""
        self._variables = [("$", data)]
        self._untyped = isinstance(data, Struct) and not data.go_type
        self._list(body, data)
        return "".join(self._written)

    def _list(self, body: Sequence[Block | str], dot: Any) -> None:
        for part in body:
            if isinstance(part, str):
                self._written.append(part)
            elif part.kind == "range":
                self._scoped(self._range, part, dot)
            elif part.kind:
                self._scoped(self._choose, part, dot)
            else:
                value = self._pipe(part.pipe, dot)
                if not part.pipe.variables:
                    self._written.append(shown(value))

    def _scoped(self, do: Callable[[Block, Any], None], block: Block, dot: Any) -> None:
        """Forget what variables a block has declared after it."""
        known = len(self._variables)
        do(block, dot)
        del self._variables[known:]

    def _choose(self, block: Block, dot: Any) -> None:
        value = self._pipe(block.pipe, dot)
        if true(value):
            self._list(block.body, value if block.kind == "with" else dot)
        else:
            self._list(block.otherwise, dot)

    def _range(self, block: Block, dot: Any) -> None:
        value = self._pipe(block.pipe, dot, declare=False)
        pairs: Iterable[tuple[Any, Any]]
        if value is None or value is MISSING:
            pairs = ()
        elif isinstance(value, dict) and not isinstance(value, Struct):
            pairs = [(key, value[key]) for key in sorted(value)]
        elif isinstance(value, list | tuple):
            pairs = list(enumerate(value))
        elif isinstance(value, int) and not isinstance(value, bool):
            pairs = [(number, number) for number in range(value)]
        else:
            self._fail(block.pipe.commands[0][0], f"range can't iterate over {shown(value)}")
        known = len(self._variables)
        for key, item in pairs:
            names = block.pipe.variables
            self._variables += zip(names, (key, item) if len(names) == 2 else (item,), strict=False)
            self._list(block.body, item)
            del self._variables[known:]
        if not pairs:
            self._list(block.otherwise, dot)

    def _pipe(self, pipe: Pipe, dot: Any, *, declare: bool = True) -> Any:
        value = _NOTHING
        for command in pipe.commands:
            value = self._command(command, dot, value)
        if declare:
            for name in pipe.variables:
                if pipe.assigns:
                    last = max(number for number, (known, _) in enumerate(self._variables) if known == name)
                    self._variables[last] = (name, value)
                else:
                    self._variables.append((name, value))
        return value

    def _command(self, command: Sequence[Operand], dot: Any, piped: Any) -> Any:
        first, *rest = command
        if first.kind == "word" and first.value in self._functions:
            return self._call(command, first.value, self._functions[first.value], self._arguments(rest, dot, piped))
        if first.kind == "word" and first.value == "nil":
            self._fail(first, "nil is not a command")
        value = self._operand(first, dot)
        if callable(value):
            return self._call(command, first.fields[-1], value, self._arguments(rest, dot, piped))
        if rest or piped is not _NOTHING:
            if first.kind == "sign" and first.fields:
                self._fail(first, f"{first.fields[-1]} is not a method but has arguments")
            self._fail(first, f"can't give argument to non-function {first.source}")
        return value

    def _arguments(self, operands: Sequence[Operand], dot: Any, piped: Any) -> list[Any]:
        arguments = [self._argument(operand, dot) for operand in operands]
        return arguments if piped is _NOTHING else [*arguments, piped]

    def _argument(self, operand: Operand, dot: Any) -> Any:
        if operand.kind == "word" and operand.value in self._functions:
            return self._call([operand], operand.value, self._functions[operand.value], [])
        return self._operand(operand, dot)

    def _call(self, command: Sequence[Operand], name: str, function: Callable[..., Any], arguments: list[Any]) -> Any:
        wanted = list(inspect.signature(function, eval_str=True).parameters.values())
        needed = [one for one in wanted if one.kind is not inspect.Parameter.VAR_POSITIONAL]
        if len(arguments) < len(needed) or (len(arguments) > len(needed) and len(needed) == len(wanted)):
            count = f"{'at least ' if len(needed) < len(wanted) else ''}{len(needed)}"
            self._fail(command[0], f"wrong number of args for {name}: want {count} got {len(arguments)}")
        for number, (argument, parameter) in enumerate(zip(arguments, wanted, strict=False)):
            expected = _TYPES.get(parameter.annotation)
            if expected and not fits(argument, parameter.annotation):
                operand = command[number + 1] if number + 1 < len(command) else command[0]
                literal = operand.kind in ("number", "string") or operand.value in _CONSTANTS
                if literal and operand is not command[0]:
                    self._fail(operand, f"expected {expected.replace('int', 'integer')}; found {operand.source}")
                self._fail(operand, f"wrong type for value; expected {expected}; got {kind(argument)}")
        try:
            return function(*arguments)
        except CallError as error:
            self._fail(command[0], f"error calling {name}: {error}", command)

    def _operand(self, operand: Operand, dot: Any) -> Any:
        if operand.kind == "pipe":
            value = self._pipe(operand.value, dot)
        elif operand.kind == "variable":
            value = next(value for name, value in reversed(self._variables) if name == operand.value)
        elif operand.kind == "word":
            value = _CONSTANTS.get(operand.value)
        else:
            value = dot if operand.kind == "sign" else operand.value
        for name in operand.fields:
            try:
                value = field_of(value, name, untyped=self._untyped)
            except LookupError as error:
                # Go blames what it looked at last, which within parentheses is their last operand.
                self._fail(operand.value.commands[-1][-1] if operand.kind == "pipe" else operand, str(error.args[0]))
        return value

    def _fail(self, operand: Operand, message: str, command: Sequence[Operand] | None = None) -> NoReturn:
        before = self._text[: operand.at]
        line, column = before.count("\n") + 1, len(before.rpartition("\n")[2].encode())
        source = " ".join(one.source for one in command or [operand])
        where = f'template: :{line}:{column}: executing "" at <{source}>: '
        raise TemplateError(where + message, reading=False)
