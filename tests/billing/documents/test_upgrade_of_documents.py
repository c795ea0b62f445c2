"""A database from before documents were kept: what was issued gets documents that say what is true then (I22)."""

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import Account, User
from billing.actions import issue_credit_note, set_billing_profile
from billing.documents.paper import credit_note_paper, invoice_paper
from billing.models import CreditNote, Invoice
from core.guards import check_guards
from tests.billing.bills import APRIL, IN_APRIL, IN_MAY, bill, march
from tests.billing.documents.parties import profile

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("answered")]
BEFORE = "0020_parties"


def test_what_was_issued_before_gets_documents(charged: Account, owner: User, biller: User) -> None:
    """One test, because migrating there and back takes long."""
    march(charged, owner)
    bill()
    invoice = Invoice.objects.get()
    issue_credit_note(charged, invoice, amount=Decimal(5), reason="Line was down", by=biller, now=IN_APRIL)
    set_billing_profile(charged, profile(), by=owner)
    call_command("migrate", "billing", BEFORE, verbosity=0)
    try:
        outdated = [(message.id, message.msg) for message in check_guards(databases=["default"])]
        assert any("OUTDATED" in said and "counter_counts_documents" in said for _, said in outdated)
        assert not any("CHANGED" in said for _, said in outdated)
        Account.objects.filter(pk=charged.pk).update(company="Renamed")
    finally:
        call_command("migrate", "billing", verbosity=0)
    assert check_guards(databases=["default"]) == []
    invoice = Invoice.objects.get()
    paper = invoice_paper(invoice)
    assert (invoice.document.reconstructed, invoice.document.due_on) == (True, None)
    assert [list(party.lines) for party in paper.parties] == [["HostPilot"], ["Renamed"]]
    assert [line.amount for line in paper.lines] == ["$72.26", "$4.50"]
    assert paper.issued == "2026-04-02"
    note = credit_note_paper(CreditNote.objects.get())
    assert note.lines[0].how == "Line was down"
    verified = StringIO()
    call_command("verify_documents", stdout=verified)
    assert "2 documents were checked, and 0 are not as issued." in verified.getvalue()
    bill(APRIL, IN_MAY)
    later = invoice_paper(Invoice.objects.get(month=APRIL))
    assert later.parties[0].lines[0] == "Example Telecom, Inc."
    assert later.parties[1].lines[0] == "Acme Support, LLC"
