"""The application for a WSGI server, as in `gunicorn config.wsgi`."""

import os
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

GIVE_UP = 3  # with this exit status of a worker, gunicorn stops; with any other it would restart workers forever

Environ = dict[str, Any]
EVERY_BYTE = bytes(range(256))
CHARSET = re.compile(r";\s*charset\*?\s*=[^;]*", re.IGNORECASE)


class TextCharsets:
    """Passes requests on, without a charset in their Content-Type that is no encoding of text, like `base64`.

    Django would fail on it before any middleware or view sees the request.
    """

    def __init__(self, application: Callable[[Environ, Any], Iterable[bytes]]) -> None:
        self.application = application

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        content_type = environ.get("CONTENT_TYPE", "")
        _, options = parse_header_parameters(content_type)
        try:
            EVERY_BYTE.decode(options.get("charset", "utf-8"), "replace")
        except (LookupError, ValueError):
            environ["CONTENT_TYPE"] = CHARSET.sub("", content_type)
        return self.application(environ, start_response)


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
try:
    application = TextCharsets(get_wsgi_application())
except ImproperlyConfigured as error:
    sys.stderr.write(f"Settings: {error}\n")
    raise SystemExit(GIVE_UP) from None
