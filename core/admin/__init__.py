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
from core.admin.composed import Button, ComposedAdmin, FixedField, Page, Panel

__all__ = [
    "Button",
    "CarefulAdmin",
    "CarefulInline",
    "CarefulList",
    "ComposedAdmin",
    "FixedField",
    "HistoryAdmin",
    "Page",
    "Panel",
    "ReadOnly",
    "ReadOnlyAdmin",
    "WholeForm",
    "jobs",
]
