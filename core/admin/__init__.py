"""The base classes of the back office's pages, and the pages of the job queue."""

from core.admin import jobs
from core.admin.bases import (
    BaseAdmin,
    BaseChangeList,
    BaseInline,
    FullCheckForm,
    HistoryAdmin,
    ReadOnly,
    ReadOnlyAdmin,
    Writes,
    WritingAdmin,
)
from core.admin.composed import Button, ComposedAdmin, FixedField, Page, Panel

__all__ = [
    "BaseAdmin",
    "BaseChangeList",
    "BaseInline",
    "Button",
    "ComposedAdmin",
    "FixedField",
    "FullCheckForm",
    "HistoryAdmin",
    "Page",
    "Panel",
    "ReadOnly",
    "ReadOnlyAdmin",
    "Writes",
    "WritingAdmin",
    "jobs",
]
