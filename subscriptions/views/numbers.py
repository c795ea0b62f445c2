"""The Phone Numbers tab: which of the account's numbers are assigned to Contact Center (R16)."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext, gettext_noop

from accounts.models import NumberAssignment, PhoneNumber
from accounts.models.numbers import PhoneNumberQuerySet
from accounts.pages import AccountRequest, render_page
from accounts.roles import Capability
from core.refusals import show_as_message
from subscriptions.actions import assign_number, unassign_number
from subscriptions.forms import is_key
from subscriptions.models import ContactCenter
from subscriptions.views.install import contact_center_page

PAGE_SIZE = 50
LONGEST_SEARCH = 40
CURRENT = Prefetch("assignments", NumberAssignment.objects.current(), to_attr="current")


@contact_center_page(Capability.SEE_SERVICES, verb="assign_number")
def phone_numbers(request: AccountRequest, center: ContactCenter) -> HttpResponse:
    """Show the numbers with their kind and state; on POST, assign or unassign one."""
    mine = PhoneNumber.objects.filter(account=request.account)
    if request.method == "POST":
        for button, verb, done in (
            ("assign", assign_number, gettext_noop("%(number)s is assigned to Contact Center now.")),
            ("unassign", unassign_number, gettext_noop("%(number)s is no longer assigned to Contact Center.")),
        ):
            if button in request.POST:
                typed = request.POST[button]
                number = get_object_or_404(mine, pk=typed if is_key(typed) else 0)
                try:
                    verb(request.account, number, by=request.user)
                except ValidationError as refusal:
                    show_as_message(request, refusal)
                else:
                    messages.success(request, gettext(done) % {"number": number})
        return redirect(request.get_full_path())
    context = {
        "numbers": Paginator(_found(request, mine).prefetch_related(CURRENT), PAGE_SIZE).get_page(
            request.GET.get("page")
        ),
        "has_any": mine.exists(),
        "q": _typed(request),
        "kinds": PhoneNumber.Kind.choices,
        "kind": request.GET.get("kind", ""),
        "show": request.GET.get("show", ""),
        "page": "contact_center",
        "tab": "phone_numbers",
    }
    return render_page(request, "hostpilot/phone_numbers.html", context)


def _typed(request: AccountRequest) -> str:
    return request.GET.get("q", "").strip()[:LONGEST_SEARCH]


def _found(request: AccountRequest, mine: PhoneNumberQuerySet) -> PhoneNumberQuerySet:
    """Return the numbers that match the search and filters of the URL."""
    found, kind, shown = mine.matching(_typed(request)), request.GET.get("kind", ""), request.GET.get("show", "")
    if kind in PhoneNumber.Kind.values:
        found = found.of_kind(kind)
    if shown == "assigned":
        return found.assigned()
    return found.unassigned() if shown == "unassigned" else found
