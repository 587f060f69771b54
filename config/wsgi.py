"""The WSGI application, for any server: gunicorn in production, the embedded one by default."""

import os

from django.core.wsgi import get_wsgi_application

from config.checks import log_unsafe_settings
from config.environment import read_settings

# With it gunicorn gives up; otherwise it would start its workers again and again.
APP_LOAD_ERROR = 4

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
read_settings(exit_code=APP_LOAD_ERROR)
application = get_wsgi_application()
log_unsafe_settings()
