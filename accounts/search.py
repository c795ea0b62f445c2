"""Search for accounts by number, company, contact or phone number."""

import phonenumbers
from django.conf import settings
from django.db.models import Q, QuerySet

from accounts.models import Account, Contact, PhoneNumber

FOUND_BY = "Account number, company, a contact's e-mail address, or a phone number in any way of writing"


def accounts_matching(words: str) -> QuerySet[Account]:
    """Return the accounts that match a search.

    A match is an account number that starts with the words, a company or a contact's email address that contains them,
    or a phone number, however it is written.
    """
    words = words.strip()
    wanted = Q(company__icontains=words)
    if words.isdigit():
        wanted |= Q(number__startswith=words)
    else:
        wanted |= Q(pk__in=Contact.objects.filter(user__email__contains=words.lower()).values("account"))
    if number := e164(words):
        wanted |= Q(pk__in=PhoneNumber.objects.filter(number=number).values("account"))
    return Account.objects.filter(wanted)


def e164(words: str) -> str:
    """Return the phone number in E.164, like `+12125550100`, or an empty string if the words are not one."""
    try:
        number = phonenumbers.parse(words, settings.PHONENUMBER_DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
