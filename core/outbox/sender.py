"""Who emails are from."""

from email.utils import formataddr, parseaddr

from django.conf import settings


def sender() -> str:
    """Return the value of From: the address in DEFAULT_FROM_EMAIL, under the brand's name."""
    return formataddr((settings.BRAND_NAME, parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))
