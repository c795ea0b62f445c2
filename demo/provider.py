"""The demo's provider: its staff, its catalog, and customers at every stage of onboarding."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db.models import Model

import subscriptions
from accounts.actions import add_service_user
from accounts.models import Account, Contact, PhoneNumber, Role, ServiceRole, User
from billing.actions import save_issuer, set_billing_profile
from billing.models import BillingProfile, Issuer
from billing.runs.run import last_ended_month
from core.groups import BILLING_TEAM, ONBOARDING_TEAM, SUPPORT
from core.history import attributed
from onboarding.actions import activate, request_go_live
from subscriptions.actions import assign_number, assign_users, change_subscription, install, load_catalogue
from subscriptions.catalogue import contact_center_of, held_by

PASSWORD = "show-me-the-demo"  # printed at the end of the demo, which runs only if DEBUG is true
CATALOGUE = Path(subscriptions.__file__).parent / "catalogue.json"


@dataclass(frozen=True)
class Provider:
    """What the story needs: two members of staff, a customer, and her account, which has no Contact Center yet.

    `billed` is another account, whose last two `months` are not billed yet. In the first it was in onboarding only.
    """

    administrator: User
    onboarding_member: User
    olivia: User
    acme: Account
    toll_free: PhoneNumber
    billed: Account
    months: tuple[date, date]


def make_provider(now: datetime) -> Provider:
    """Fill the clean database with accounts that started some weeks before `now`, and return what the story needs."""
    load_catalogue(json.loads(CATALOGUE.read_text(encoding="utf-8")))
    password = make_password(PASSWORD)  # only once, since hashing is slow on purpose

    def user(first: str, last: str, *, group: str = "", **fields: object) -> User:
        made = User(email=f"{first.lower()}@example.com", password=password, first_name=first, last_name=last, **fields)
        made.full_clean()
        made.save()
        if group:
            made.groups.add(Group.objects.get(name=group))
        return made

    ada = user("Ada", "Administrator", is_staff=True, is_superuser=True)
    save_issuer(
        Issuer(
            effective_from=date(2025, 1, 1),
            legal_name="Example Telecom, Inc.",
            street="1 Main Street",
            city="Springfield",
            region="IL",
            postal_code="62701",
            country="US",
            tax_number="12-3456789",
            contact_name="Accounts receivable",
            email="billing@example.com",
            phone="+1 212 555 0100",
            payment_instructions="By transfer to Example Bank, account 000123456789. Please state the invoice number.",
        ),
        by=ada,
    )
    tom = user("Tom", "Becker", is_staff=True, group=ONBOARDING_TEAM)
    user("Bea", "Ledger", is_staff=True, group=BILLING_TEAM)
    user("Sam", "Watson", is_staff=True, group=SUPPORT)
    olivia, hannah = user("Olivia", "Owens"), user("Hannah", "Heron")
    victor, carlos, diane, evan, fiona = (
        user("Victor", "Lane"),
        user("Carlos", "Cedar"),
        user("Diane", "Delta"),
        user("Evan", "Green"),
        user("Fiona", "Fair"),
    )

    def account(number: str, company: str, timezone: str, *numbers: str, **contacts: User) -> Account:
        made = Account(number=number, company=company, timezone=timezone, created_at=now - timedelta(days=100))
        rows: list[Model] = [made]
        rows += [Contact(account=made, user=contact, role=Role[role]) for role, contact in contacts.items()]
        rows += [PhoneNumber(account=made, number=phone) for phone in numbers]
        for row in rows:
            attributed(row, to=ada)
            row.save()
        return made

    acme = account("100001", "Acme Support", "America/New_York", "+18005550100", "+12125550101", OWNER=olivia)
    heron = account(
        "100002", "Blue Heron Travel", "America/Chicago", "+18885550102", "+13125550103",
        OWNER=hannah, TECHNICAL=olivia, VIEWER=victor,
    )  # fmt: skip
    account("100003", "Cedar Dental Group", "America/Denver", "+13035550104", OWNER=carlos)
    delta = account("100004", "Delta Outfitters", "America/New_York", "+18775550105", OWNER=diane, BILLING=olivia)
    evergreen = account("100005", "Evergreen Insurance", "America/Los_Angeles", "+18665550106", OWNER=evan)

    install(heron, edition="cc-pro", by=hannah, now=now - timedelta(days=12))
    buy(heron, hannah, now - timedelta(days=11), seats=1, storage="storage-25")
    buy(heron, olivia, now - timedelta(days=4), seats=2, addons=frozenset({"addon-crm"}))
    staff(heron, hannah, "Rosa Diaz", "Liam Park", "Mia Chen", "Noah Stone")
    for number in PhoneNumber.objects.filter(account=heron):
        assign_number(heron, number, by=olivia, now=now - timedelta(days=3))
    request_go_live(
        heron, wanted_on=heron.day_of(now) + timedelta(days=7), note="Our old system ends that week.", by=hannah
    )

    install(delta, edition="cc-pro", by=diane, now=now - timedelta(weeks=5))
    buy(delta, diane, now - timedelta(weeks=4), seats=1, channels=frozenset({"channel-voice", "channel-chat"}))
    staff(delta, diane, "Ivy Brook", "Owen Hale")

    install(evergreen, edition="cc-elite", by=evan, now=now - timedelta(weeks=9))
    buy(
        evergreen, evan, now - timedelta(weeks=8), seats=2, storage="storage-100",
        addons=frozenset({"addon-speech", "addon-wfm"}),
    )  # fmt: skip
    staff(evergreen, evan, "Zoe Marsh")
    set_billing_profile(
        evergreen,
        BillingProfile(
            legal_name="Evergreen Servicios, S.A. de C.V.",
            street="Avenida Reforma 222",
            city="Ciudad de México",
            postal_code="06600",
            country="MX",
            tax_number="ESE010203AB4",
            language="es",
        ),
        by=evan,
    )

    fairview = account("100006", "Fairview Clinics", "America/New_York", "+18445550107", OWNER=fiona)
    months = _last_months(fairview.day_of(now))
    begin, active = _noon(fairview, months[0].replace(day=3)), _noon(fairview, months[1].replace(day=16))
    install(fairview, edition="cc-pro", by=fiona, now=begin)
    buy(fairview, fiona, begin, seats=2, channels=frozenset({"channel-voice", "channel-sms"}))
    staff(fairview, fiona, "Pia Lund", "Quinn Ross")
    assign_number(fairview, PhoneNumber.objects.get(account=fairview), by=fiona, now=begin)
    set_billing_profile(
        fairview,
        BillingProfile(
            legal_name="Fairview Clinics, LLC",
            street="500 Market Street",
            street_2="Floor 3",
            city="Portland",
            region="ME",
            postal_code="04101",
            country="US",
            tax_number="98-7654321",
            purchase_order="PO-2210",
            invoice_email="invoices@fairview.example.com",
        ),
        by=fiona,
    )
    activate(fairview, by=tom, reason="Training finished", now=active)
    buy(fairview, fiona, active, seats=25, package="tf-500")
    return Provider(
        administrator=ada,
        onboarding_member=tom,
        olivia=olivia,
        acme=acme,
        toll_free=PhoneNumber.objects.get(account=acme, kind=PhoneNumber.Kind.TOLL_FREE),
        billed=fairview,
        months=months,
    )


def _last_months(today: date) -> tuple[date, date]:
    """Return the first days of the last two months that have ended everywhere."""
    last = last_ended_month(datetime.combine(today, time(12), tzinfo=UTC) - timedelta(days=1))
    return (last - timedelta(days=1)).replace(day=1), last


def _noon(account: Account, day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=account.zone)


def buy(account: Account, by: User, now: datetime | None = None, **wanted: object) -> None:
    """Change these fields of what the account holds."""
    held = held_by(contact_center_of(account))
    change_subscription(account, replace(held, **wanted), by=by, now=now)  # type: ignore[arg-type]


def staff(account: Account, by: User, *names: str) -> None:
    """Add service users to the account: the first as a Team Leader, the last without a role, the others as agents."""
    people = [
        add_service_user(account, name=name, email=f"{name.split()[0].lower()}.{account.number}@example.com", by=by)
        for name in names
    ]
    roles = dict.fromkeys((person.pk for person in people[:-1]), ServiceRole.AGENT)
    assign_users(account, {**roles, people[0].pk: ServiceRole.TEAM_LEADER}, by=by)
