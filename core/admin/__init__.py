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
)

__all__ = [
    "BaseAdmin",
    "BaseChangeList",
    "BaseInline",
    "FullCheckForm",
    "HistoryAdmin",
    "ReadOnly",
    "ReadOnlyAdmin",
    "jobs",
]
