"""Saved column mappings. They are created on the page that imports calls, and viewed and deleted here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from billing.calls.importing import PERMISSION
from billing.models import CallMapping
from core.admin import ReadOnlyAdmin


@admin.register(CallMapping)
class CallMappingAdmin(ReadOnlyAdmin):
    """Mappings of the columns in the files of other systems. Anyone who may import may delete one."""

    list_display = ("name", "told", "zone", "created_by", "created_at")
    list_select_related = ("created_by",)
    search_fields = ("name",)
    fields = ("name", "told", "zone", ("created_by", "created_at"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(PERMISSION)

    @display(description="Columns")
    def told(self, mapping: CallMapping) -> str:
        return ", ".join(f"{role}={column}" for role, column in mapping.columns.items())
