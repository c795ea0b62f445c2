"""The application for a WSGI server, as in `gunicorn config.wsgi`."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

GIVE_UP = 3  # with this exit status of a worker, gunicorn stops; with any other it would restart workers forever

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
try:
    application = get_wsgi_application()
except ImproperlyConfigured as error:
    sys.stderr.write(f"Settings: {error}\n")
    raise SystemExit(GIVE_UP) from None
