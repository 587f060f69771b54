"""Whether this process was told to stop: then no further duty is begun, and the rows keep what is left."""

from __future__ import annotations

import threading

told_to_stop = threading.Event()
