"""What all pages of the back office share, and the page of the queue of jobs."""

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
