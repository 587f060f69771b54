"""`manage.py check --deploy` with the settings of a production node, as part of `make check`."""

import os
import subprocess
import sys
import tempfile

from cryptography.fernet import Fernet

PRODUCTION = {
    "DATABASE_URL": "postgres://node@127.0.0.1/node",
    "REDIS_URL": "redis://127.0.0.1/0",
    "NODE_URL": "https://node.example.com",
    "SECRET_KEY": os.urandom(40).hex(),
    "FIELD_KEYS": Fernet.generate_key().decode(),
}


def main() -> int:
    """Run the check in a process of its own; warnings fail it."""
    with tempfile.TemporaryDirectory() as data_dir:
        environment = {**os.environ, **PRODUCTION, "DATA_DIR": data_dir}
        command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
