"""Settings, all read from the environment; the README lists the variables.

With DATABASE_URL and REDIS_URL unset the node is embedded: SQLite and in-memory bus, in one process.
"""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from config import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / "var")))
DATABASE_URL = env.database_url("DATABASE_URL")
REDIS_URL = env.redis_url("REDIS_URL")
DEBUG = env.flag("DEBUG", False)
IS_EMBEDDED = not DATABASE_URL and not REDIS_URL
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"])

# Who we are, and where partners find us.
NODE_URL = env.base_url("NODE_URL", "http://127.0.0.1:8000")
COUNTRY_CODE = env.country("COUNTRY_CODE", "NL")
PARTY_ID = env.party("PARTY_ID", "NOD")
# OCPI: locations_business_details gives a name 100 characters.
PARTY_NAME = env.text("PARTY_NAME", "Smart charging node", most=100)
ROLES = env.choices("ROLES", env.PARTY_ROLES, env.PARTY_ROLES)
# Further parties on this platform: (country_code, party_id, roles, name) of each.
OTHER_PARTIES = env.parties("OTHER_PARTIES", main=(COUNTRY_CODE, PARTY_ID))

# Secrets: kept in the data directory on the embedded default, else from the environment.
SECRET_KEY = env.text("SECRET_KEY")
FIELD_KEYS = env.fernet_keys("FIELD_KEYS")
if IS_EMBEDDED or (DEBUG and not (SECRET_KEY and FIELD_KEYS)):
    env.make_folder(DATA_DIR, "DATA_DIR")
    SECRET_KEY = SECRET_KEY or env.kept_secret(DATA_DIR, "secret_key", "text")
    FIELD_KEYS = FIELD_KEYS or [env.kept_secret(DATA_DIR, "field_key", "fernet")]
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY must be set to a long random text: production needs its own.")
if not FIELD_KEYS:
    raise ImproperlyConfigured(
        "FIELD_KEYS must be set to a Fernet key: partners' tokens are encrypted with it."
    )

ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS", [urlsplit(NODE_URL).hostname or "", "localhost", "127.0.0.1", "[::1]"]
)
CSRF_TRUSTED_ORIGINS = [NODE_URL]

# Smart charging.
PROFILE_TIMEOUT_S = env.seconds("PROFILE_TIMEOUT_S", 30, least=5, most=600)
RESULT_GRACE_S = env.seconds("RESULT_GRACE_S", 240, least=0, most=86400)
PROFILE_RATE = env.rate("PROFILE_RATE", "10/min")
ACCEPT_UNKNOWN_TOKENS = env.flag("ACCEPT_UNKNOWN_TOKENS", IS_EMBEDDED)
OUTBOUND_ALLOWED_NETWORKS = env.networks(
    "OUTBOUND_ALLOWED_NETWORKS", ["127.0.0.0/8", "::1/128"] if IS_EMBEDDED else []
)
# How long a partner's old token opens after its PUT succeeded.
OLD_TOKEN_GRACE_S = env.seconds("OLD_TOKEN_GRACE_S", 0, least=0, most=86400)
# How often a partner's lists are read, on average; 0 for never by ourselves.
PULL_EVERY_S = env.seconds("PULL_EVERY_S", 3600, least=0, most=7 * 86400)
INVITATION_LIFE_S = env.seconds("INVITATION_LIFE_S", 86400, least=60, most=31 * 86400)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "ocpi.partners",
    "ocpi.delivery",
    "locations",
    "sessions",
    "chargers",
    "chargingprofiles",
    "config",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "ocpi.protocol.middleware.OcpiMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# The database.
if DATABASE_URL and not DATABASE_URL.startswith("sqlite"):
    DATABASES = {"default": environ.Env.db_url_config(DATABASE_URL)}
    DATABASES["default"].update(CONN_MAX_AGE=None, CONN_HEALTH_CHECKS=True)
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        connect_timeout=5, tcp_user_timeout=5000, options="-c statement_timeout=30s -c lock_timeout=5s"
    )
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": urlsplit(DATABASE_URL).path or str(DATA_DIR / "node.sqlite3"),
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                # IMMEDIATE takes the write lock at once: read-then-write can't fail half-way.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;",
            },
            "TEST": {"NAME": str(DATA_DIR / "test.sqlite3")},
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# OCPI over DRF.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["ocpi.partners.authentication.CredentialsTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["ocpi.protocol.parsing.OcpiJsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["ocpi.protocol.envelope.EnvelopeRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "ocpi.protocol.parsing.AlwaysJson",
    "EXCEPTION_HANDLER": "ocpi.protocol.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}
OCPI_ENDPOINTS = "config.endpoints.ENDPOINTS"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# Celery runs what we owe; the rows are the truth and its messages are hints (docs/decisions.md).
CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "socket_timeout": 2,
        "socket_connect_timeout": 1,
        "health_check_interval": 10,
        "max_retries": 0,
        "visibility_timeout": 60,
    }
    if REDIS_URL
    else {"polling_interval": 0.01}
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1 if REDIS_URL else 4
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "plan"
CELERY_TASK_ROUTES = {
    "delivery.deliver_result": {"queue": "results"},
    "delivery.deliver_push": {"queue": "push"},
}
CELERY_TIMEZONE = "UTC"

# The admin and its safety; TLS ends in front of the node.
IS_HTTPS = NODE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(ocpi|api|healthz|readyz|metrics)(/|$)"]
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
X_FRAME_OPTIONS = "DENY"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

STATIC_URL = "static/"
# Served from the packages: no collectstatic, no folder of copies.
WHITENOISE_USE_FINDERS = True

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # Partners get 401 and 404 as answers; only our own failures are news.
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "websockets": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
    },
}
