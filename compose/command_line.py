"""Commands declared by functions: every parameter is an option or an argument, as its annotation says.

This is a small part of what typer does, on click as well. Typer loads pydantic for whatever command is given: .06 s of
the processor at every start of a server, and 7 MB of its memory.
"""

import inspect
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import click
import msgspec
from click.exceptions import Exit

INTERRUPTED = 130
"""How a shell is told that Ctrl-C ended a command: 128 and the number of the signal."""

FunctionT = TypeVar("FunctionT", bound=Callable[..., None])


class Argument(msgspec.Struct, frozen=True):
    """Says of a parameter that it is given by its place; ``help`` is for ``--help``."""

    help: str = ""
    metavar: str | None = None


class Option(msgspec.Struct, frozen=True):
    """Says of a parameter that it is given by a name; without ``names`` by its own, as ``--its-own``."""

    names: tuple[str, ...]
    help: str
    metavar: str | None = None
    envvar: str | None = None
    """An environment variable that is read where it isn't given."""


def argument(*, help: str = "", metavar: str | None = None) -> Argument:
    """For ``Annotated``: an argument."""
    return Argument(help, metavar)


def option(*names: str, help: str, metavar: str | None = None, envvar: str | None = None) -> Option:
    """For ``Annotated``: an option with these names, ``--yes/--no`` for both values of a bool."""
    return Option(names, help, metavar, envvar)


class Commands(click.Group):
    """Commands by name; called without one it shows which there are."""

    def __init__(self, help: str) -> None:
        """``help``: what they are about."""
        super().__init__(help=help, no_args_is_help=True)

    def invoke(self, ctx: click.Context) -> Any:
        """As click's. Ctrl-C ends a command without a word, with a code of its own; click has it fail as errors do."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            raise Exit(INTERRUPTED) from interrupt

    def declare(self, name: str, function: Callable[..., None], **settings: Any) -> None:
        """Add a command that calls a function; its docstring is shown as help. ``settings`` are click's."""
        self.add_command(_command(name, function, settings), name)

    def declared(self, name: str, **settings: Any) -> Callable[[FunctionT], FunctionT]:
        """``declare`` as a decorator, which leaves the function as it is."""

        def add(function: FunctionT) -> FunctionT:
            self.declare(name, function, **settings)
            return function

        return add


class _Parameter(msgspec.Struct, frozen=True):
    """How click reads a parameter of a function, and what the function gets of what click read."""

    read: click.Parameter
    made: Callable[[Any], Any]


class _ShownArgument(click.Argument):
    def __init__(self, help: str, *names: str, **settings: Any) -> None:
        super().__init__(names, **settings)
        self._help = help

    def shown(self, ctx: click.Context) -> tuple[str, str]:
        return self.make_metavar(ctx), self._help


class _ShownCommand(click.Command):
    """Arguments are no options, under which click would show them."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        shown = [each.shown(ctx) for each in self.params if isinstance(each, _ShownArgument)]
        if shown:
            with formatter.section("Arguments"):
                formatter.write_dl(shown)
        super().format_options(ctx, formatter)


def _command(name: str, function: Callable[..., None], settings: dict[str, Any]) -> click.Command:
    hints = get_type_hints(function, include_extras=True)
    declared = inspect.signature(function).parameters.values()
    parameters = {each.name: _parameter(each, hints[each.name]) for each in declared}

    def call(**values: Any) -> None:
        function(**{name: parameters[name].made(value) for name, value in values.items()})

    shown: dict[str, Any] = {"help": inspect.getdoc(function), **settings}
    return _ShownCommand(name, callback=call, params=[each.read for each in parameters.values()], **shown)


def _parameter(declared: inspect.Parameter, hint: Any) -> _Parameter:
    annotated, said = get_args(hint)
    several, kind = _kind(annotated)
    default = declared.default
    settings: dict[str, Any] = {"type": _click_type(kind), "metavar": said.metavar}
    if default is declared.empty:
        settings |= {"required": True}
    else:
        settings |= {"required": False, "default": default.value if isinstance(default, Enum) else default}
    if isinstance(said, Argument):
        nargs = -1 if several else 1
        read: click.Parameter = _ShownArgument(said.help, declared.name, nargs=nargs, **settings)
    else:
        if kind is bool:
            settings |= {"is_flag": True}
        else:
            settings |= {"multiple": several, "show_default": default not in (None, declared.empty)}
        names = said.names or (f"--{declared.name.replace('_', '-')}",)
        read = click.Option(
            [declared.name, *names], help=said.help, envvar=said.envvar, show_envvar=said.envvar is not None, **settings
        )
    if several:
        return _Parameter(read, list)
    if issubclass(kind, Enum):
        return _Parameter(read, kind)
    return _Parameter(read, _as_it_is)


def _kind(annotated: Any) -> tuple[bool, type[Any]]:
    """Whether a parameter takes several values, and of which type; that it may be None its default says."""
    kinds: tuple[Any, ...] = get_args(annotated) if isinstance(annotated, UnionType) else (annotated,)
    (kind,) = (each for each in kinds if each is not NoneType)
    if get_origin(kind) is list:
        return True, get_args(kind)[0]
    return False, kind


def _click_type(kind: type[Any]) -> click.ParamType | None:
    if issubclass(kind, Enum):
        return click.Choice([each.value for each in kind])
    if kind is Path:
        return _GivenPath(path_type=Path)
    return {str: click.STRING, int: click.INT, bool: click.BOOL}[kind]


class _GivenPath(click.Path):
    """A path that is not empty, which would be the current folder: mostly a variable that isn't set was meant."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As click does. Raises BadParameter."""
        if value == "":
            self.fail("should not be empty", param, ctx)
        return super().convert(value, param, ctx)


def _as_it_is(value: Any) -> Any:
    return value
