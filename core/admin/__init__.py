"""What all pages of the back office share, and the page of the queue of jobs."""

from core.admin import jobs
from core.admin.bases import (
    CarefulAdmin,
    CarefulInline,
    CarefulList,
    HistoryAdmin,
    ReadOnly,
    ReadOnlyAdmin,
    WholeForm,
)

__all__ = [
    "CarefulAdmin",
    "CarefulInline",
    "CarefulList",
    "HistoryAdmin",
    "ReadOnly",
    "ReadOnlyAdmin",
    "WholeForm",
    "jobs",
]
