"""OCPI status codes (OCPI 2.2.1 status_codes)."""

from enum import IntEnum


class Status(IntEnum):
    """The `status_code` of an envelope: 1xxx success, 2xxx client, 3xxx server, 4xxx hub."""

    SUCCESS = 1000
    CLIENT_ERROR = 2000
    INVALID_PARAMETERS = 2001
    NOT_ENOUGH_INFORMATION = 2002
    UNKNOWN_LOCATION = 2003
    UNKNOWN_TOKEN = 2004
    SERVER_ERROR = 3000
    UNABLE_TO_USE_API = 3001
    UNSUPPORTED_VERSION = 3002
    MISSING_ENDPOINTS = 3003
    HUB_ERROR = 4000
    UNKNOWN_RECEIVER = 4001
    TIMEOUT_ON_FORWARDED_REQUEST = 4002
    CONNECTION_PROBLEM = 4003
