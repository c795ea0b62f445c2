"""Runs every action under the account's lock, in one transaction, and records its refusals."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar, overload

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import translation

from accounts.language import STORED
from accounts.models import Account, Refusal, User
from accounts.verbs import is_verb
from core.guards import sentence_of, sentence_of_constraint
from core.refusals import AlreadyDone, reasons_of, without_nul
from core.verbs import stands_for

P = ParamSpec("P")
R = TypeVar("R")


class RecordedDenial(PermissionDenied):
    """A PermissionDenied for which a Refusal was recorded."""


@overload
def action(verb: Callable[Concatenate[Account, P], R], /) -> Callable[Concatenate[Account, P], R]: ...


@overload
def action(
    *, records_as: str
) -> Callable[[Callable[Concatenate[Account, P], R]], Callable[Concatenate[Account, P], R]]: ...


def action(verb: Callable[..., Any] | None = None, /, *, records_as: str = "") -> Callable[..., Any]:
    """Decorate a verb on an account, so that it runs in one transaction under the account's lock, by a user `by`.

    The verb gets the account as read after it was locked. Its refusals are recorded (`recording_refusals`) under its
    own name, or under `records_as` if it previews another verb: `@action` or `@action(records_as="…")`.
    """

    def decorate(verb: Callable[..., Any]) -> Callable[..., Any]:
        name = records_as or verb.__name__

        @stands_for(name)
        @functools.wraps(verb)
        def run(account: Account, /, *args: Any, **kwargs: Any) -> Any:
            by = kwargs["by"]
            assert isinstance(by, User), "an action is always taken by somebody"
            with recording_refusals(account, by, name):
                return verb(Account.objects.locked().get(pk=account.pk), *args, **kwargs)

        return run

    return decorate(verb) if verb else decorate


@contextmanager
def recording_refusals(account: Account | None, by: User, verb: str) -> Iterator[None]:
    """Run the block in one transaction, and record its refusals under the verb.

    A refusal is a ValidationError, or a guard's IntegrityError, which is converted to one. It rolls back everything
    that was written, is recorded as one Refusal row for each reason, and is raised again. A PermissionDenied is treated
    the same way and raised as RecordedDenial. AlreadyDone is not recorded.
    """
    try:
        with transaction.atomic():
            yield
    except AlreadyDone:
        raise
    except ValidationError as refusal:
        record_refusals(account, by, verb, refusal)
        raise
    except PermissionDenied as denial:
        record_refusals(account, by, verb, ValidationError(_words_of(denial), code="permission_denied"))
        raise RecordedDenial(*denial.args) from denial
    except IntegrityError as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise
        guarded = ValidationError(sentence.text, code=sentence.guard)
        record_refusals(account, by, verb, guarded)
        raise guarded from error


def record_refusals(account: Account | None, by: User | None, verb: str, refusal: ValidationError) -> None:
    """Write one Refusal row for each reason in the refusal; its param `tried` is the value that was tried."""
    Refusal.objects.bulk_create(rows_of(account, by, verb, refusal))


def rows_of(account: Account | None, by: User | None, verb: str, refusal: ValidationError) -> Iterator[Refusal]:
    """Yield one unsaved Refusal for each reason, for callers who write those of many accounts at once."""
    assert is_verb(verb), f"{verb} is in no app's VERBS or HIDDEN_FROM_CUSTOMERS: people would read it as it is"
    for field, reason in reasons_of(refusal):
        with translation.override(STORED):
            # Django's message of a constraint is already in the visitor's language, so look up the lazy sentence.
            message = str(sentence_of_constraint(reason.code) or reason.messages[0])
        yield Refusal(
            account=account,
            by=by,
            action=verb,
            field="" if field == NON_FIELD_ERRORS else field,
            tried=without_nul(str((reason.params or {}).get("tried", "")))[:200],
            rule=(reason.code or "invalid")[:64],
            message=without_nul(message),
        )


def _words_of(denial: PermissionDenied) -> Any:
    """Return the message of the denial without converting it, since it may be lazy and `str` would fix its language."""
    return denial.args[0] if denial.args else ""
