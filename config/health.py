"""Health addresses: is the process up, and can it do its work."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from redis import Redis, RedisError

from ocpi.delivery.duties import oldest_due_at

MOST_DUE_AGE = timedelta(seconds=60)


def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the process serves at all."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when database, broker and delivery work, else 503; each part says how it is."""
    parts = {"database": _database(), "broker": _broker()}
    parts["delivery"] = _delivery() if parts["database"] == "ok" else "unknown"
    is_ready = all(state == "ok" for state in parts.values())
    return JsonResponse({"status": "ok" if is_ready else "unready", **parts}, status=200 if is_ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unreachable"
    return "ok"


def _broker() -> str:
    if not settings.REDIS_URL:
        return "ok"
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as redis:
            redis.ping()
    except RedisError:
        return "unreachable"
    return "ok"


def _delivery() -> str:
    now = timezone.now()
    due_at = oldest_due_at(now=now)
    return "ok" if due_at is None or now - due_at < MOST_DUE_AGE else "late"
