"""Ports for the tests' servers: below those that clients are given, none that our client refuses, and apart
for lanes run side by side."""

from __future__ import annotations

import os
import random
import socket

PORTS = range(28_000, 32_000) if os.environ.get("LANE") == "services" else range(20_000, 26_000)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    for port in random.sample(PORTS, 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port")
