"""Our client in a node's own process: reads calls as JSON from standard input, prints the replies as JSON.

`python -m tests.journeys.calling PARTNER` in the node's environment. A call has `method` and either `module`,
`role`, `path` or a `url`, and may have `body` and `params`.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import django


def main() -> None:
    """Make the calls one after the other."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from ocpi.partners.calls import call, call_url
    from ocpi.partners.models import Partner

    partner = Partner.objects.get(pk=sys.argv[1])
    replies: list[dict[str, Any]] = []
    for one in json.load(sys.stdin):
        reply = (call_url if "url" in one else call)(partner, **one)
        replies.append(
            {
                "http_status": reply.http_status,
                "status_code": reply.status_code,
                "data": reply.data,
                "headers": {name.lower(): value for name, value in reply.headers.items()},
            }
        )
    json.dump(replies, sys.stdout)


if __name__ == "__main__":
    main()
