import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, OperationalError, ProgrammingError

from ocpi.console import NOT_SET_UP, ConsoleCommand, ConsoleError
from ocpi.protocol.client import CallFailed
from ocpi.protocol.errors import UnableToUseApi


class UnableToThing(Exception):
    """A foreseen error of a module."""


class Command(ConsoleCommand):
    help = "Things."
    foreseen = (UnableToThing,)
    failure: BaseException | None = None

    def add_arguments(self, parser: ArgumentParser) -> None:
        listing = self.sub(parser, "list", self.list_things)
        listing.add_argument("--active", action="store_true")
        self.sub(parser, "show", self.show, help="show one").add_argument("name")

    def list_things(self, *, active: bool, **_: Any) -> None:
        """Print the things."""
        if self.failure:
            raise self.failure
        self.emit({"things": [], "active": active, "at": datetime(2026, 1, 2, tzinfo=UTC)}, ["None", "yet."])

    def show(self, *, name: str, **_: Any) -> dict[str, Any]:
        """Show one."""
        return {"name": name, "count": 1}


class Single(ConsoleCommand):
    def run(self, **options: Any) -> dict[str, Any]:
        return {"verbosity": options["verbosity"]}


def run(*arguments: str, command: type[ConsoleCommand] = Command) -> None:
    """Run as the command line does."""
    command().run_from_argv(["manage.py", "thing", *arguments])


@pytest.mark.parametrize("arguments", [("--json", "list", "--active"), ("list", "--active", "--json")])
def test_prints_one_json_object_wherever_json_is_asked_for(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    run(*arguments)

    assert json.loads(capsys.readouterr().out) == {"things": [], "active": True, "at": "2026-01-02T00:00:00Z"}


def test_prints_sentences_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    run("list")
    run("show", "A")

    assert capsys.readouterr() == ("None\nyet.\nname: A\ncount: 1\n", "")


def test_prints_what_a_command_without_verbs_returns(capsys: pytest.CaptureFixture[str]) -> None:
    run("--json", command=Single)

    assert capsys.readouterr().out == '{"verbosity": 1}\n'


def test_runs_from_python_too() -> None:
    out = StringIO()

    call_command(Command(), "show", "A", "--json", stdout=out)

    assert json.loads(out.getvalue()) == {"name": "A", "count": 1}
    with pytest.raises(CommandError, match="required"):
        call_command(Command())


@pytest.mark.parametrize(
    ("failure", "line"),
    [
        (ConsoleError("There is no\n thing."), "There is no thing."),
        (UnableToThing("It can't."), "It can't."),
        (UnableToUseApi("They refused."), "They refused."),
        (CallFailed("timeout", "No answer in time."), "timeout: No answer in time."),
        (OperationalError("no such table: things"), NOT_SET_UP),
        (ProgrammingError('relation "things" does not exist\nLINE 1'), NOT_SET_UP),
        (DatabaseError("file is not a database"), "The database is damaged: file is not a database."),
        (OperationalError("database is locked"), "The database is busy: try again."),
        (
            OperationalError("connection refused\nIs it on?"),
            "The database can't be used: connection refused Is it on?",
        ),
    ],
)
def test_says_a_foreseen_error_in_one_line(
    failure: Exception, line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Command, "failure", failure)

    with pytest.raises(SystemExit) as caught:
        run("list", "--json")

    assert caught.value.code == 1
    assert capsys.readouterr() == ("", f"{line}\n")


def test_leaves_a_bug_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Command, "failure", ZeroDivisionError("a bug"))

    with pytest.raises(ZeroDivisionError):
        run("list")


def test_ends_quietly_when_interrupted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Command, "failure", KeyboardInterrupt())

    with pytest.raises(SystemExit) as caught:
        run("list")

    assert caught.value.code == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "the following arguments are required: VERB"),
        (("nothing",), "invalid choice: 'nothing'"),
        (("show",), "the following arguments are required: name"),
        (("list", "--nothing"), "unrecognized arguments: --nothing"),
    ],
)
def test_says_what_is_wrong_with_the_arguments_in_one_line(
    arguments: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        run(*arguments)

    printed = capsys.readouterr()
    assert caught.value.code == 2
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert reason in printed.err


def test_helps(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run("--help")

    printed = capsys.readouterr().out
    assert caught.value.code == 0
    assert "Print the things." in printed
    assert "show one" in printed
