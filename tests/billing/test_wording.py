"""Texts about amounts: every kind of line says how it was computed."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.utils import translation

from billing.pricing.charges import ADJUSTMENT, RECURRING, USAGE, Line
from billing.wording import sentences, sentences_in
from core.dates import day_in_words, days_in_words, month_in_words
from core.money import cents, money, rate

MARCH = date(2026, 3, 1)
SEATS = Line(
    RECURRING, "cc-pro", MARCH, date(2026, 3, 16), date(2026, 3, 31), 25, Decimal("70.0000"), Decimal("903.23"),
    per_seat=True,
)  # fmt: skip
CRM = Line(RECURRING, "addon-crm", MARCH, MARCH, date(2026, 3, 31), 1, Decimal("40.0000"), Decimal("40.00"))
CALLS = Line(
    USAGE, "tf-payperuse", MARCH, MARCH, date(2026, 3, 31), 1234, Decimal("0.0450"), Decimal("55.53"),
    minutes=1234, included=0, package_minutes=0,
)  # fmt: skip
PACKAGE = Line(
    USAGE, "tf-500", MARCH, MARCH, date(2026, 3, 31), 100, Decimal("0.0420"), Decimal("4.20"),
    minutes=600, included=500, package_minutes=500,
)  # fmt: skip
PART = PACKAGE._replace(
    first=date(2026, 3, 16), quantity=341, included=259, amount=Decimal("14.32")
)  # 500 × 16/31 is 258.06
LATE = CALLS._replace(kind=ADJUSTMENT, amount=Decimal("51.03"), invoiced=Decimal("4.50"))
BACK = CALLS._replace(kind=ADJUSTMENT, quantity=0, minutes=0, amount=Decimal("-4.50"), invoiced=Decimal("4.50"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (SEATS, "25 seats × $70.00 × 16 of 31 days = $903.23"),
        (SEATS._replace(quantity=1, first=MARCH, amount=Decimal(70)), "1 seat × $70.00 = $70.00"),
        (SEATS._replace(quantity=1000, first=MARCH, amount=Decimal(70000)), "1,000 seats × $70.00 = $70,000.00"),
        (CRM, "$40.00 for the full month"),
        (CRM._replace(first=date(2026, 3, 31), amount=Decimal("1.29")), "$40.00 × 1 of 31 days = $1.29"),
        (CALLS, "1,234 minutes × $0.045 per minute = $55.53"),
        (CALLS._replace(quantity=1, minutes=1, amount=Decimal("0.05")), "1 minute × $0.045 per minute = $0.05"),
        (PACKAGE, "100 charged of 600 minutes (500 included) × $0.042 per minute = $4.20"),
        (
            PART,
            "341 charged of 600 minutes (500 minutes × 16 of 31 days, rounded up = 259 included) × $0.042 per minute "
            "= $14.32",
        ),
        (
            PACKAGE._replace(quantity=0, minutes=12, amount=Decimal(0)),
            "0 charged of 12 minutes (500 included) × $0.042 per minute = $0.00",
        ),
        (
            PART._replace(kind=ADJUSTMENT, amount=Decimal("4.32"), invoiced=Decimal(10)),
            "341 charged of 600 minutes (500 minutes × 16 of 31 days, rounded up = 259 included) × $0.042 per minute "
            "= $14.32, minus $10.00 already invoiced = $4.32",
        ),
        (LATE, "1,234 minutes × $0.045 per minute = $55.53, minus $4.50 already invoiced = $51.03"),
        (BACK, "0 minutes × $0.045 per minute = $0.00, minus $4.50 already invoiced = -$4.50"),
    ],
)
def test_every_kind_of_line_says_how_it_was_computed(line: Line, said: str) -> None:
    assert sentences().arithmetic(line) == said


def test_amounts_rates_and_days_as_they_are_read() -> None:
    assert [money(Decimal(amount)) for amount in ("0", "1234.5", "-0.84")] == ["$0.00", "$1,234.50", "-$0.84"]
    assert [rate(Decimal(price)) for price in ("0.0450", "0.0380", "0.5000", "1")] == [
        "$0.045",
        "$0.038",
        "$0.50",
        "$1.00",
    ]
    assert sentences().days_of(SEATS) == "Mar 16–31, 2026"
    assert sentences().days_of(SEATS._replace(last=SEATS.first)) == "Mar 16, 2026"
    assert [cents(Decimal(price)) for price in ("0.0450", "0.04", "0.036", "0.02125", "1")] == [
        "4.5¢",
        "4¢",
        "3.6¢",
        "2.13¢",
        "100¢",
    ]


def test_what_a_line_is_about() -> None:
    items = {
        "cc-pro": ("Contact Center Pro", "product"),
        "storage-100": ("100 GB", "storage"),
        "tf-500": ("500 minutes", "package"),
        "tf-payperuse": ("Pay-per-use", "package"),
    }
    held = [SEATS._replace(sku=sku) for sku in ("cc-pro", "storage-100", "tf-500")]
    assert [sentences().title(line, items) for line in held] == [
        "Contact Center Pro",
        "Recording storage, 100 GB",
        "Toll-free package, 500 minutes",
    ]
    assert sentences().title(CALLS, items) == "Toll-free minutes, Pay-per-use"
    assert sentences().title(LATE, items) == "Toll-free minutes, Pay-per-use, adjustment for March 2026"
    assert sentences().title(CRM, items) == "addon-crm", (
        "an item that left the catalogue still has its name on old invoices"
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (SEATS, "25 puestos × $70.00 × 16 de 31 días = $903.23"),
        (SEATS._replace(quantity=1, first=MARCH, amount=Decimal(70)), "1 puesto × $70.00 = $70.00"),
        (CRM, "$40.00 por el mes completo"),
        (CALLS, "1,234 minutos × $0.045 por minuto = $55.53"),
        (PACKAGE, "100 cobrados de 600 minutos (500 incluidos) × $0.042 por minuto = $4.20"),
        (LATE, "1,234 minutos × $0.045 por minuto = $55.53, menos $4.50 ya facturados = $51.03"),
    ],
    ids=["seats", "one seat", "whole month", "calls", "package", "adjustment"],
)
def test_arithmetic_is_told_in_spanish_with_dollars_as_on_bills_in_the_united_states(line: Line, said: str) -> None:
    with translation.override("es"):
        assert sentences().arithmetic(line) == said


def test_a_line_is_titled_in_spanish() -> None:
    items = {"tf-payperuse": ("Pay-per-use", "package"), "storage-100": ("100 GB", "storage")}
    with translation.override("es"):
        assert sentences().title(LATE, items) == "Minutos de números gratuitos, Pay-per-use, ajuste de marzo de 2026"
        assert sentences().title(CRM._replace(sku="storage-100"), items) == "Almacenamiento de grabaciones, 100 GB"
        assert sentences().days_of(SEATS) == "16–31 mar 2026"


@pytest.mark.parametrize("language", ["en", "es"])
def test_days_and_months_read_like_on_pages(language: str) -> None:
    with translation.override(language):
        for month in range(1, 13):
            day = date(2026, month, 28)
            assert sentences().day(day) == day_in_words(day)
            assert sentences().month(day) == month_in_words(day)
            line = SEATS._replace(first=day.replace(day=1), last=day)
            assert sentences().days_of(line) == days_in_words(line.first, line.last)


def test_both_languages_have_the_same_sentences_with_the_same_facts() -> None:
    english, spanish = sentences_in("en").texts, sentences_in("es").texts
    assert english.keys() == spanish.keys()
    for name, sentence in english.items():
        assert facts_of(sentence) == facts_of(spanish[name]), name


def facts_of(sentence: object) -> set[str]:
    return set(re.findall(r"%\(\w+\)s|\{\w+\}", str(sentence)))
