"""The database's guards of issuers and billing profiles: rows are only added, so documents stay as they are (I22)."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Account, User
from billing.actions import set_billing_profile
from billing.models import BillingProfile, Issuer
from tests.billing.documents.parties import profile
from tests.guarding import UPDATES, by_history_revert, named, refused_by, settle, sql

TABLES = ["billing_issuer", "billing_billingprofile"]
EXERCISED = {f"{table}_{end}" for table in TABLES for end in ("is_final", "is_kept")}
CHANGES: list[dict[str, Any]] = [{"legal_name": "Renamed"}, {"country": "CA"}, {"tax_number": ""}]


@pytest.fixture
def rows(account: Account, owner: User) -> dict[str, Issuer | BillingProfile]:
    saved = set_billing_profile(account, profile(), by=owner)
    settle()  # a table with checks that wait for the commit can't be emptied anyway
    return {"billing_issuer": Issuer.objects.get(), "billing_billingprofile": saved}


@pytest.mark.parametrize("way", [way for way in UPDATES if way is not by_history_revert], ids=named)
@pytest.mark.parametrize("change", CHANGES, ids=named)
@pytest.mark.parametrize("table", TABLES)
def test_a_party_is_never_changed(
    rows: dict[str, Any], table: str, change: dict[str, Any], way: Callable[..., None]
) -> None:
    with refused_by(f"{table}_is_final"):
        way(rows[table], **change)


@pytest.mark.parametrize("table", TABLES)
def test_a_party_is_never_deleted(rows: dict[str, Any], table: str) -> None:
    with refused_by(f"{table}_is_final"):
        rows[table].delete()
    with refused_by(f"{table}_is_final"):
        sql(f"DELETE FROM {table}")
    with refused_by(f"{table}_is_kept"):
        sql(f"SET LOCAL guards.truncate = 'refused'; TRUNCATE {table} CASCADE")


def test_a_version_is_saved_once(rows: dict[str, Any], account: Account, owner: User) -> None:
    with refused_by("billing_profile_version"):
        BillingProfile.objects.create(**profile_fields(), account=account, version=1, saved_by=owner)


def profile_fields() -> dict[str, Any]:
    return {"legal_name": "Again", "street": "1 Street", "city": "Salem", "country": "US"}
