"""The sidebar of the back office, with only the links that a member of staff may follow."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy

from billing.models import BillOnHold
from core.models import Job
from onboarding.models import Notice

ON_HOLD = "Bills on hold"
NOTICES = "Notices"
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
            ("Invoices", "receipt_long", "billing", "invoice"),
            (ON_HOLD, "pan_tool", "billing", "billonhold"),
            ("Bill runs", "event_repeat", "billing", "billrun"),
            ("Failed bills", "error", "billing", "failedbill"),
            ("Credit notes", "undo", "billing", "creditnote"),
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
            if item["title"] == ON_HOLD and (waiting := BillOnHold.objects.waiting().count()):
                item |= {"badge": waiting, "badge_variant": "warning"}
            if item["title"] == NOTICES and (failed := Notice.objects.failed().count()):
                item |= {"badge": failed, "badge_variant": "danger"}
            if item["title"] == JOBS and (failed := Job.objects.failed().count()):
                item |= {"badge": failed, "badge_variant": "danger"}
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups
