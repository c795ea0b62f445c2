from django.core.checks import Tags, register

from core.groups import BILLING_TEAM, ONBOARDING_TEAM, GrantingAppConfig
from core.roles.uses import Uses


class BillingConfig(GrantingAppConfig):
    default = True
    name = "billing"
    grants = {
        BILLING_TEAM: [
            "add_callimport",
            "add_issuer",
            "change_billingprofile",
            "decide_billonhold",
            "issue_creditnote",
            "send_document",
            "void_callrecord",
        ],
        ONBOARDING_TEAM: ["change_billingprofile"],
    }

    uses = Uses(
        deletes=["CallImport", "CallMapping", "UnbilledMonth"],
        row_locks=["Invoice"],
        only_reads=["billing_numbergap"],
        of_web=["Issuer", "BillingProfile"],
        views=["reporting_accounts", "reporting_credit_notes", "reporting_invoice_lines", "reporting_invoices"],
    )

    def ready(self) -> None:
        super().ready()
        # Imports models, which exist only now.
        from billing.calls.feed import check_feed  # noqa: PLC0415
        from billing.checks import check_issuer, check_journal, check_months  # noqa: PLC0415
        from billing.deliveries.enqueue import EMAIL_KIND  # noqa: PLC0415
        from billing.deliveries.messages import DocumentBatch  # noqa: PLC0415
        from core.outbox.kinds import register as register_kind  # noqa: PLC0415

        register_kind(EMAIL_KIND, DocumentBatch)
        register(check_issuer, Tags.database)
        register(check_journal)
        register(check_months, Tags.database)
        register(check_feed, Tags.database)
