"""What the conformance command refuses to begin with."""

from __future__ import annotations

import socket

import pytest
from django.core.management import CommandError, call_command


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--listen", "8090"], "--listen: '8090' is not HOST:PORT"),
        (["--listen", "127.0.0.1:99999"], "--listen: '127.0.0.1:99999' is not HOST:PORT"),
        (["--party", "NOBODY"], "--party: 'NOBODY' is not a country code and a party id"),
    ],
)
def test_names_the_option_that_makes_no_sense(options: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("conformance", "--versions-url", "http://127.0.0.1:1/v", "--token", "a", *options)


def test_names_the_port_that_is_in_use() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        listen = f"127.0.0.1:{other.getsockname()[1]}"

        with pytest.raises(CommandError, match=f"Can't listen on {listen}: Address already in use."):
            call_command(
                "conformance", "--versions-url", "http://127.0.0.1:1/v", "--token", "a", "--listen", listen
            )
