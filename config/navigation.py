"""The sidebar of the back office, with only the links that a member of staff may follow."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse_lazy

from billing.models import BillOnHold, Delivery
from core.models import Job
from onboarding.models import Notice

ON_HOLD = "Bills on hold"
NOTICES = "Notices"
INVOICES = "Invoices"
CREDIT_NOTES = "Credit notes"
JOBS = "Jobs"
# (group, [(title, icon, app, model)])
PLACES = [
    (
        "Onboarding",
        [
            ("Worklist", "checklist", "onboarding", "onboarding"),
            ("Go-live requests", "rocket_launch", "onboarding", "goliverequest"),
            (NOTICES, "mail", "onboarding", "notice"),
        ],
    ),
    (
        "Customers",
        [
            ("Accounts", "domain", "accounts", "account"),
            ("Contact Centers", "support_agent", "subscriptions", "contactcenter"),
            ("Phone numbers", "call", "accounts", "phonenumber"),
            ("Number assignments", "phone_forwarded", "accounts", "numberassignment"),
            ("Refusals", "block", "accounts", "refusal"),
        ],
    ),
    (
        "Billing",
        [
            (INVOICES, "receipt_long", "billing", "invoice"),
            (ON_HOLD, "pan_tool", "billing", "billonhold"),
            ("Bill runs", "event_repeat", "billing", "billrun"),
            ("Failed bills", "error", "billing", "failedbill"),
            (CREDIT_NOTES, "undo", "billing", "creditnote"),
            ("Billing profiles", "contact_mail", "billing", "billingprofile"),
            ("Issuers", "storefront", "billing", "issuer"),
        ],
    ),
    (
        "Calls",
        [
            ("Call records", "call_log", "billing", "callrecord"),
            ("Imports", "upload_file", "billing", "callimport"),
            ("Records set aside", "call_split", "billing", "setasidecall"),
            ("Rejected rows", "rule", "billing", "rejectedcall"),
            ("Column mappings", "view_column", "billing", "callmapping"),
        ],
    ),
    (
        "Catalogue",
        [
            ("Items and prices", "sell", "subscriptions", "item"),
            ("All prices", "payments", "subscriptions", "price"),
        ],
    ),
    (
        "People",
        [
            ("Contacts", "contacts", "accounts", "contact"),
            ("Customers' people", "groups", "accounts", "serviceuser"),
            ("Log-ins", "person", "accounts", "user"),
            ("Teams", "shield_person", "auth", "group"),
        ],
    ),
    ("Operations", [(JOBS, "manufacturing", "core", "job")]),
]

# What needs attention: bills that wait for a person, emails that were given up, and jobs that failed.
BADGES: dict[str, Callable[[], QuerySet[Any]]] = {
    ON_HOLD: lambda: BillOnHold.objects.waiting(),
    INVOICES: lambda: Delivery.objects.undelivered().exclude(invoice=None),
    CREDIT_NOTES: lambda: Delivery.objects.undelivered().exclude(note=None),
    NOTICES: lambda: Notice.objects.failed(),
    JOBS: lambda: Job.objects.failed(),
}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of links that this member of staff may follow, with counts of what needs attention."""
    groups = []
    for title, places in PLACES:
        items: list[dict[str, Any]] = [
            {"title": name, "icon": icon, "link": reverse_lazy(f"admin:{app}_{model}_changelist")}
            for name, icon, app, model in places
            if request.user.has_perm(f"{app}.view_{model}") or request.user.has_perm(f"{app}.change_{model}")
        ]
        for item in items:
            needs_attention = BADGES.get(item["title"])
            if needs_attention and (count := needs_attention().count()):
                item |= {"badge": count, "badge_variant": "warning" if item["title"] == ON_HOLD else "danger"}
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups
