"""The sidebar of the back office, with only the links that a member of staff may follow."""

from collections.abc import Collection
from typing import Any

from django.db.models import Count
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

WARNS = {ON_HOLD: "warning"}  # others are failures


def needing_attention(titles: Collection[str]) -> dict[str, int]:
    """Return how many rows need attention, by the title of a place, as far as there are any. One query a place.

    These are bills that wait for a person, emails that were given up, and jobs that failed.
    """
    found: dict[str, int] = {}
    if ON_HOLD in titles:
        found[ON_HOLD] = BillOnHold.objects.waiting().count()
    if INVOICES in titles or CREDIT_NOTES in titles:
        counts = Delivery.objects.undelivered().aggregate(
            invoices=Count("invoice", distinct=True), notes=Count("note", distinct=True)
        )
        found |= {INVOICES: counts["invoices"], CREDIT_NOTES: counts["notes"]}
    if NOTICES in titles:
        found[NOTICES] = Notice.objects.failed().count()
    if JOBS in titles:
        found[JOBS] = Job.objects.failed().count()
    return {title: count for title, count in found.items() if count}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of links that this member of staff may follow, with counts of what needs attention."""
    groups: list[dict[str, Any]] = []
    for title, places in PLACES:
        items: list[dict[str, Any]] = [
            {"title": name, "icon": icon, "link": reverse_lazy(f"admin:{app}_{model}_changelist")}
            for name, icon, app, model in places
            if request.user.has_perm(f"{app}.view_{model}") or request.user.has_perm(f"{app}.change_{model}")
        ]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    shown = [item for group in groups for item in group["items"]]
    counts = needing_attention({item["title"] for item in shown})
    for item in shown:
        if item["title"] in counts:
            item |= {"badge": counts[item["title"]], "badge_variant": WARNS.get(item["title"], "danger")}
    return groups
