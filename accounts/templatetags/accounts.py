"""Template tags for the frame of every page, and for values of an account."""

import json
import re
from typing import Any

import phonenumbers
from django import template
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext

from accounts.events import Event, recent_events
from accounts.models import Account, User
from accounts.models.user import Language
from core.dates import day_in_words, moment_in_words

register = template.Library()
LATEST = 5

MOST_IN_SWITCHER = 10
# The order matters: a browser's user agent also names the browsers that it is based on, which come later here.
BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
SYSTEMS = {
    "Windows": "Windows",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


@register.simple_tag
def accounts_of(user: User) -> dict[str, Any]:
    """Return the user's first accounts by company, and whether there are `several` and `more` than these. One query."""
    accounts = list(Account.objects.for_user(user).order_by("company", "number")[: MOST_IN_SWITCHER + 1])
    return {
        "shown": accounts[:MOST_IN_SWITCHER],
        "more": len(accounts) > MOST_IN_SWITCHER,
        "several": len(accounts) > 1,
    }


@register.simple_tag
def languages() -> list[tuple[str, str]]:
    """Return the code and the native name of each language that pages can be in."""
    return [(str(code), str(name)) for code, name in Language.choices]


@register.simple_tag
def local(moment: Any, account: Account, form: str = "DATETIME") -> str:
    """Return an instant in the account's time zone, like `March 5, 2026, 10:00`; with the form `DATE`, only its day."""
    if moment is None:
        return ""
    if form == "DATE":
        return day_in_words(account.day_of(moment))
    return moment_in_words(moment, account.zone)


@register.filter
def as_json(value: Any) -> str:
    """Return the value as JSON, for an attribute that one of our scripts reads."""
    return json.dumps(value, cls=DjangoJSONEncoder)


@register.filter
def browser(agent: str) -> str:
    """Return a user agent in two words, like `Firefox, Windows`; one that is unknown is shown as it is, shortened."""
    names = [
        next((name for mark, name in known.items() if re.search(rf"{mark}\b", agent)), "")
        for known in (BROWSERS, SYSTEMS)
    ]
    return ", ".join(filter(None, names)) or agent[:60] or gettext("Unknown")


@register.filter
def national(number: str) -> str:
    """Return a number in E.164, like +18005550100, as it is written in its own country: `(800) 555-0100`."""
    return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.NATIONAL)


@register.simple_tag
def latest_events(account: Account) -> list[Event]:
    """Return the latest few events of the account, newest first. One query."""
    return recent_events(account, LATEST)
