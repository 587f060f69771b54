"""The node's settings on the lane's database and broker, with a data directory of this run's own.

LANE=embedded (default) runs on SQLite and the in-memory bus; LANE=services on PostgreSQL and Redis
(TEST_DATABASE_URL, TEST_REDIS_URL). tests/lanes.py runs both.
"""

import atexit
import os
import shutil
import tempfile

LANE = os.environ.setdefault("LANE", "embedded")
FOLDER = tempfile.mkdtemp(prefix="node-tests-")
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

for name in ("DATABASE_URL", "REDIS_URL", "NODE_URL", "DEBUG"):
    os.environ.pop(name, None)
for name in ("COUNTRY_CODE", "PARTY_ID", "ROLES", "OTHER_PARTIES"):
    os.environ.pop(name, None)
os.environ["DATA_DIR"] = FOLDER
if LANE == "services":
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
    os.environ["REDIS_URL"] = os.environ["TEST_REDIS_URL"]
    os.environ["SECRET_KEY"] = "only for tests, " * 4
    os.environ["FIELD_KEYS"] = "dGVzdHMgb25seSB0ZXN0cyBvbmx5IHRlc3RzIG9ubHk="
    os.environ["OUTBOUND_ALLOWED_NETWORKS"] = "127.0.0.0/8,::1/128"
    os.environ["ACCEPT_UNKNOWN_TOKENS"] = "true"

from config.settings import *  # noqa: E402, F403
