"""The sidebar of the back office: what each member of staff may see, and nothing else."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy

# (group, [(title, icon, app, model)])
PLACES = [
    (
        "Onboarding",
        [
            ("Worklist", "checklist", "onboarding", "onboarding"),
            ("Go-live requests", "rocket_launch", "onboarding", "goliverequest"),
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
        "Calls",
        [
            ("Call records", "call_log", "billing", "callrecord"),
            ("Imports", "upload_file", "billing", "callimport"),
            ("Rejected rows", "rule", "billing", "rejectedcall"),
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
]


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of links that this member of staff may follow."""
    groups = []
    for title, places in PLACES:
        items = [
            {"title": name, "icon": icon, "link": reverse_lazy(f"admin:{app}_{model}_changelist")}
            for name, icon, app, model in places
            if request.user.has_perm(f"{app}.view_{model}") or request.user.has_perm(f"{app}.change_{model}")
        ]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups
