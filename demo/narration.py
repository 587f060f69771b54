"""What the demo says: numbered steps, plain sentences, and the payloads as they were."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax

console = Console(highlight=False, width=100)
_step = 0


def step(title: str) -> None:
    """Begin the next numbered step."""
    global _step  # noqa: PLW0603 - one story per process
    _step += 1
    console.print(f"\n[bold]{_step}. {title}[/bold]")


def say(sentence: str) -> None:
    """Tell one fact."""
    console.print(f"   {sentence}")


def show(title: str, payload: Any) -> None:
    """Show a payload as JSON in a frame."""
    text = json.dumps(payload, indent=2)
    console.print(
        Panel(
            Syntax(text, "json", background_color="default", word_wrap=True),
            title=title,
            title_align="left",
            border_style="dim",
            expand=False,
        )
    )


def end(sentence: str, *, is_good: bool) -> None:
    """Close the story."""
    console.print(f"\n[bold {'green' if is_good else 'red'}]{sentence}[/]")
