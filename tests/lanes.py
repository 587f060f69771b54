"""`make test`: runs every lane that this machine can run, and says which one it left out.

The embedded lane (SQLite, in-memory broker) always runs. The services lane (PostgreSQL and Redis) runs when
TEST_DATABASE_URL and TEST_REDIS_URL answer, or servers on their default local ports do. With
REQUIRE_SERVICES=1 a lane left out is a failure. Tests come first, then journeys, which start real processes;
the lanes run side by side.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import redis

ROOT = Path(__file__).resolve().parent.parent
DATABASE_URL = os.environ.get("TEST_DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
REDIS_URL = os.environ.get("TEST_REDIS_URL") or "redis://127.0.0.1:6379/0"


def missing_services() -> list[str]:
    """Return what does not answer, in words."""
    missing = []
    try:
        psycopg.connect(DATABASE_URL, connect_timeout=3).close()
    except psycopg.OperationalError:
        missing.append("PostgreSQL")
    try:
        redis.Redis.from_url(REDIS_URL, socket_connect_timeout=3).ping()
    except redis.RedisError:
        missing.append("Redis")
    return missing


def start(lane: str, markers: str, output: Path) -> subprocess.Popen[bytes]:
    """Start pytest for one lane; its output goes to a file."""
    environment = {
        **os.environ,
        "LANE": lane,
        "TEST_DATABASE_URL": DATABASE_URL,
        "TEST_REDIS_URL": REDIS_URL,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", markers, *sys.argv[1:]],
        cwd=ROOT,
        env=environment,
        stdout=output.open("wb"),
        stderr=subprocess.STDOUT,
    )


def run(lanes: list[str], markers: str, title: str) -> bool:
    """Run the lanes side by side, print what they said, and tell whether all passed."""
    passed = True
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        outputs = {lane: Path(folder) / lane for lane in lanes}
        runs = {lane: start(lane, markers, output) for lane, output in outputs.items()}
        for lane, process in runs.items():
            code = process.wait()
            print(f"\n=== {title}, lane {lane} ({time.monotonic() - began:.0f} s)", flush=True)
            sys.stdout.write(outputs[lane].read_text(errors="replace"))
            sys.stdout.flush()
            passed = passed and code == 0
    return passed


def main() -> int:
    """Run the lanes; 0 when everything that had to run passed."""
    missing = missing_services()
    lanes = ["embedded"] if missing else ["embedded", "services"]
    passed = run(lanes, "not journey", "tests")
    passed = run(lanes, "journey", "journeys") and passed
    print(f"\nlanes run: {', '.join(lanes)}; {'all passed' if passed else 'FAILED'}")
    if missing:
        print(f"NOT RUN: lane services. Nothing answers as {' and '.join(missing)}:")
        print("set TEST_DATABASE_URL and TEST_REDIS_URL, or start servers on their default ports.")
        if os.environ.get("REQUIRE_SERVICES") == "1":
            print("REQUIRE_SERVICES=1: that is a failure.")
            passed = False
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
