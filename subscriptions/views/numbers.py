"""The Phone Numbers tab: which of the account's numbers Contact Center answers (R16)."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect

from accounts.actions import AlreadyDone
from accounts.models import NumberAssignment, PhoneNumber
from accounts.pages import AccountRequest, render_page
from accounts.roles import Capability
from subscriptions.actions import assign_number, unassign_number
from subscriptions.models import ContactCenter
from subscriptions.views.install import contact_center_page

LONGEST_KEY = 18  # digits of a key that PostgreSQL can hold


@contact_center_page(Capability.SEE_SERVICES)
def phone_numbers(request: AccountRequest, center: ContactCenter) -> HttpResponse:
    """The numbers with their kind and state; a posted button assigns or unassigns one."""
    mine = PhoneNumber.objects.filter(account=request.account)
    if request.method == "POST":
        for button, verb, done in (
            ("assign", assign_number, "is assigned to Contact Center now."),
            ("unassign", unassign_number, "is no longer assigned to Contact Center."),
        ):
            if button in request.POST:
                number = get_object_or_404(mine, pk=_key(request.POST[button]))
                try:
                    verb(request.account, number, by=request.user)
                except AlreadyDone as answer:
                    messages.info(request, answer.messages[0])
                except ValidationError as refusal:
                    messages.error(request, refusal.messages[0])
                else:
                    messages.success(request, f"{number} {done}")
        return redirect("phone_numbers", request.account.number)
    current = Prefetch("assignments", NumberAssignment.objects.current(), to_attr="current")
    context = {
        "numbers": mine.prefetch_related(current),
        "page": "contact_center",
        "tab": "phone_numbers",
    }
    return render_page(request, "hostpilot/phone_numbers.html", context)


def _key(typed: str) -> int:
    """Return the key a button carried; 0, which nothing has, for anything that is not one."""
    return int(typed) if len(typed) <= LONGEST_KEY and typed.isascii() and typed.isdigit() else 0
