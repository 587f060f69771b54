"""Commands for people and programs: sentences, or one JSON object; foreseen errors in one line."""

from __future__ import annotations

import json
import sys
from argparse import SUPPRESS, ArgumentParser, _SubParsersAction
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, InterfaceError

NOT_SET_UP = "The database is not set up: run `make run` or `manage.py migrate` first."


class ConsoleError(CommandError):
    """A reason not to do what was asked, as one line for people."""


class OneLineParser(CommandParser):
    """Says what is wrong with the arguments in one line and exits with 2."""

    def error(self, message: str) -> NoReturn:
        """Exit, or raise CommandError for callers in Python."""
        if self.called_from_command_line:
            self.exit(2, f"{self.prog}: {message} (--help tells more)\n")
        raise CommandError(f"Error: {message}")


class ConsoleCommand(BaseCommand):
    """A command with --json; implement `run`, or add verbs with `sub` in add_arguments.

    `run` and the verbs take the options as keywords. They call `emit`, or return the dict to print.
    Exceptions whose `is_foreseen` is true, and those in `foreseen`, end as one line and exit code 1.
    """

    # They load every address of the node, which takes longer than most commands.
    requires_system_checks = ()
    foreseen: tuple[type[Exception], ...] = ()
    is_json = False
    _verbs: _SubParsersAction[Any] | None = None

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Add --json to what the command takes."""
        self._verbs = None
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        # Django names the class of the parser itself.
        parser.__class__ = OneLineParser
        self._add_json(parser, default=False)
        return parser

    def sub(
        self,
        parser: ArgumentParser,
        name: str,
        handler: Callable[..., dict[str, Any] | None],
        *,
        help: str = "",
    ) -> ArgumentParser:
        """Add a verb and return its parser; `handler` gets its options as keywords."""
        if self._verbs is None:
            self._verbs = parser.add_subparsers(metavar="VERB", required=True)
        text = help or (handler.__doc__ or "").strip().partition("\n")[0]
        verb = self._verbs.add_parser(name, help=text, description=text)
        verb.__class__ = OneLineParser
        verb.set_defaults(verb=handler)
        self._add_json(verb, default=SUPPRESS)
        return verb

    def run(self, **options: Any) -> dict[str, Any] | None:
        """Do what a command without verbs does."""
        raise NotImplementedError

    def emit(self, data: dict[str, Any], human: str | Iterable[str]) -> None:
        """Print `data` as one JSON object with --json, else the sentences."""
        if self.is_json:
            self.stdout.write(json.dumps(data, cls=DjangoJSONEncoder))
            return
        for line in [human] if isinstance(human, str) else human:
            self.stdout.write(line)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and turn foreseen errors into CommandError."""
        self.is_json = options.pop("json", False)
        action = options.pop("verb", None) or self.run
        try:
            data = action(**options)
        except (DatabaseError, InterfaceError) as error:
            raise _as_console_error(error) from error
        except Exception as error:
            # Whatever says of itself that it was foreseen; anything else keeps its traceback.
            if getattr(error, "is_foreseen", False) or isinstance(error, self.foreseen):
                raise ConsoleError(_one_line(error)) from error
            raise
        if isinstance(data, dict):
            self.emit(data, [f"{name}: {value}" for name, value in data.items()])

    def execute(self, *args: Any, **options: Any) -> str | None:
        """On the command line, print errors in one line without a traceback."""
        try:
            return super().execute(*args, **options)
        except CommandError as error:
            # Django sets it in run_from_argv.
            if not getattr(self, "_called_from_command_line", False) or options.get("traceback"):
                raise
            self.stderr.write(_one_line(error))
            sys.exit(error.returncode)
        except KeyboardInterrupt:
            sys.exit(130)

    def _add_json(self, parser: ArgumentParser, *, default: Any) -> None:
        parser.add_argument(
            "--json", action="store_true", default=default, help="print one JSON object and nothing else"
        )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _as_console_error(error: Exception) -> Exception:
    """Return what a database error means to the person at the keyboard; a bug stays what it is."""
    text = _one_line(error)
    if "no such table" in text or "no such column" in text or "does not exist" in text:
        return ConsoleError(NOT_SET_UP)
    if "not a database" in text or "malformed" in text:
        return ConsoleError(f"The database is damaged: {text}.")
    if "locked" in text:
        return ConsoleError("The database is busy: try again.")
    if type(error).__name__ in {"OperationalError", "InterfaceError"}:
        return ConsoleError(f"The database can't be used: {text}")
    return error
