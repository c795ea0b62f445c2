"""The two ways to show a refusal: on a form, and as a message at the top of the next page."""

import pytest
from django import forms
from django.contrib.messages import constants, get_messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core.exceptions import ValidationError
from django.test import RequestFactory

from core.refusals import AlreadyDone, show_as_message, show_refusal


class SeatsForm(forms.Form):
    seats = forms.IntegerField()
    note = forms.CharField(required=False)


@pytest.mark.parametrize(
    ("refusal", "at", "shown"),
    [
        (ValidationError({"seats": "Too many.", "storage": "Not sold."}), {}, {"seats": 1, "__all__": 1}),
        (ValidationError(["One.", "Two."]), {}, {"__all__": 2}),
        (ValidationError("Too long."), {"at": "note"}, {"note": 1}),
        (ValidationError({"seats": "Too many."}), {"at": "note"}, {"seats": 1}),
        (ValidationError("Too long."), {"at": "no_such_field"}, {"__all__": 1}),
    ],
)
def test_a_reason_stands_at_its_field_or_above_the_form(
    refusal: ValidationError, at: dict[str, str], shown: dict[str, int]
) -> None:
    form = SeatsForm({"seats": 1})
    show_refusal(form, refusal, **at)
    assert {field: len(reasons) for field, reasons in form.errors.items()} == shown


@pytest.mark.parametrize(
    ("refusal", "level", "words"),
    [
        (ValidationError({"seats": "Too many.", "storage": "Not sold."}), constants.ERROR, "Too many. Not sold."),
        (AlreadyDone("It is so."), constants.INFO, "It is so."),
    ],
)
def test_a_message_has_every_reason_and_what_was_done_already_is_no_error(
    refusal: ValidationError, level: int, words: str, rf: RequestFactory
) -> None:
    request = rf.get("/")
    request.session = {}
    vars(request)["_messages"] = FallbackStorage(request)
    show_as_message(request, refusal)
    assert [(message.level, message.message) for message in get_messages(request)] == [(level, words)]
