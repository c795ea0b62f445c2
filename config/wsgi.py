"""The application for a WSGI server, as in `gunicorn config.wsgi`."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

GIVE_UP = 3  # to gunicorn, the exit status of a worker that can't start; after any other it would try again for ever

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
try:
    application = get_wsgi_application()
except ImproperlyConfigured as error:
    sys.stderr.write(f"Settings: {error}\n")
    raise SystemExit(GIVE_UP) from None
