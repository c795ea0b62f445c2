"""Keeps with each document what it says: its parties, its language, and a digest of all that it shows (R37, R38)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.db import connection

from accounts.models.account import unknown_zone
from accounts.models.user import Language
from accounts.zones import day_in, known_zone
from billing.documents.digests import (
    INVOICE_COLUMNS,
    NOTE_COLUMNS,
    with_digests_of_invoices,
    with_digests_of_notes,
)
from billing.models import CreditNote, Issuer, Presentation
from billing.months import LAST_ZONE

NO_ISSUER = (
    "No invoice or credit note can be issued on %(day)s, because there is no issuer yet. Enter your company's name, "
    "address and payment terms in the back office, under Billing › Issuers."
)

PROFILE: Final = """
    LEFT JOIN LATERAL (
        SELECT id, language FROM billing_billingprofile WHERE account_id = a.id ORDER BY version DESC LIMIT 1
    ) p ON true"""
ZONES: Final = """
    JOIN unnest(%(zones)s::text[], %(days)s::date[], %(issuers)s::bigint[], %(due)s::date[])
        z (zone, issued_on, issuer_id, due_on) ON z.zone = a.timezone"""
COMMON: Final = f"""
    %(presentation)s::bigint AS presentation_id, z.issuer_id, p.id AS profile_id, a.company, a.number AS account_number,
    a.timezone, coalesce(p.language, '{Language.ENGLISH}') AS language, z.issued_on, false AS reconstructed"""
OF_INVOICES: Final = f"""
    SELECT i.id AS invoice_id, {COMMON}, z.due_on
    FROM billing_invoice i JOIN accounts_account a ON a.id = i.account_id {ZONES} {PROFILE}
    WHERE i.number BETWEEN %(first)s AND %(last)s"""
OF_NOTE: Final = f"""
    SELECT n.id AS note_id, {COMMON}
    FROM billing_creditnote n JOIN billing_invoice i ON i.id = n.invoice_id
    JOIN accounts_account a ON a.id = i.account_id {ZONES} {PROFILE}
    WHERE n.id = %(note)s"""
INSERT_INVOICES: Final = f"""
    INSERT INTO billing_invoicedocument ({", ".join(INVOICE_COLUMNS)}, digest)
    {with_digests_of_invoices(OF_INVOICES)}"""
INSERT_NOTE: Final = f"""
    INSERT INTO billing_creditnotedocument ({", ".join(NOTE_COLUMNS)}, digest) {with_digests_of_notes(OF_NOTE)}"""


def no_issuer_refusal(day: date) -> ValidationError:
    """Return the refusal to issue a document on a day for which there is no issuer."""
    return ValidationError(NO_ISSUER, code="no_issuer", params={"day": day.isoformat()})


def date_refusal(day: date, now: datetime) -> ValidationError | None:
    """Return the refusal of an issuer from this day on, if the day has ended everywhere and there is an issuer."""
    today = (now - LAST_ZONE).date()
    if day >= today or not Issuer.objects.exists():
        return None
    return ValidationError(
        "Choose %(today)s or a later date. Issued documents keep their issuer.",
        code="issuer_in_the_past",
        params={"today": today.isoformat(), "tried": day},
    )


def issuer_on(day: date) -> Issuer:
    """Return the issuer of documents of a day. Raises ValidationError if there is none."""
    issuer = Issuer.objects.in_force(day)
    if issuer is None:
        raise no_issuer_refusal(day)
    return issuer


@dataclass(frozen=True)
class Issue:
    """The days on which documents are issued at an instant, by zone, and the issuer of each of these days, if any."""

    days: Mapping[str, date]
    issuers: Mapping[date, Issuer | None]

    def issuer_refusal(self, zone: str) -> ValidationError | None:
        """Return the refusal to issue documents in this zone: there is no issuer, or nobody knows the zone."""
        day = self.days.get(zone)
        if day is None:
            return ValidationError(unknown_zone(zone), code="unknown_timezone")
        return None if self.issuers[day] else no_issuer_refusal(day)


def issue_at(now: datetime, zones: Iterable[str]) -> Issue:
    """Return the days and issuers of documents that are issued now in these time zones, as far as they are known.

    One query for each day, of which there are at most three.
    """
    known = {name: zone for name in zones if (zone := known_zone(name))}
    days = {name: day_in(zone, now) for name, zone in known.items()}
    return Issue(days, {day: Issuer.objects.in_force(day) for day in set(days.values())})


def freeze_invoices(numbers: range, issue: Issue, presentation: Presentation) -> None:
    """Write the documents of the stored invoices with these numbers. One query, however many there are.

    The presentation is found before numbers are taken, since others wait for the counter until the commit.
    """
    _freeze(INSERT_INVOICES, issue, presentation, first=numbers[0], last=numbers[-1])


def freeze_credit_note(note: CreditNote, issue: Issue, presentation: Presentation) -> None:
    """Write the document of a stored credit note. One query."""
    _freeze(INSERT_NOTE, issue, presentation, note=note.pk)


def _freeze(statement: str, issue: Issue, presentation: Presentation, **which: int) -> None:
    rows = [
        (zone, day, issuer.pk, day + timedelta(days=issuer.terms_days))
        for zone, day in issue.days.items()
        if (issuer := issue.issuers[day])
    ]
    columns = zip(*rows, strict=True)
    values = dict(zip(("zones", "days", "issuers", "due"), map(list, columns), strict=True))
    with connection.cursor() as cursor:
        cursor.execute(statement, {**values, **which, "presentation": presentation.pk})
