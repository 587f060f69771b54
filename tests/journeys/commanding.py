"""Commands in one process of a node, one after the other, without the second that each takes to start.

`python -m tests.journeys.commanding` in the node's environment reads a list of arguments a line as JSON, and
prints [data, ""] or [null, why it failed].
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from types import TracebackType
from typing import Any, Self

from demo.processes import ROOT, StepFailed
from tests.journeys.nodes import Node


class Console:
    """A node's commands; use it as a context manager."""

    def __init__(self, node: Node) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.journeys.commanding"],
            cwd=ROOT,
            env=node.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=60)

    def ask(self, *arguments: str) -> Any:
        """Return what a command prints with --json. Raises StepFailed with its reason."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        data, reason = json.loads(self._process.stdout.readline())
        if reason:
            raise StepFailed(reason)
        return data


def main() -> None:
    """Run the commands."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.core.management.base import CommandError

    for line in sys.stdin:
        printed = io.StringIO()
        try:
            call_command(*json.loads(line), "--json", stdout=printed)
            answer = [json.loads(printed.getvalue()), ""]
        except CommandError as error:
            answer = [None, str(error)]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
