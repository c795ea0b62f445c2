"""The billing team's pages."""

from billing.admin.calls import CallImportAdmin, CallRecordAdmin, RejectedCallAdmin

__all__ = ["CallImportAdmin", "CallRecordAdmin", "RejectedCallAdmin"]
