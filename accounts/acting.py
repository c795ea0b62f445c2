"""Runs every action under the account's lock, in one transaction, and records its refusals."""

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from typing import Any, Concatenate, ParamSpec, TypeVar, overload

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import translation

from accounts.language import STORED
from accounts.models import Account, Refusal, User
from accounts.models.refusal import LONGEST_MESSAGE
from accounts.verbs import is_verb
from core.guards import sentence_of, sentence_of_constraint
from core.refusals import AlreadyDone, reasons_of, without_nul
from core.verbs import stands_for

# Rows are never deleted, so nobody may fill the table: how many one attempt leaves, and one person in a minute.
MOST_REASONS = 20
MOST_A_MINUTE = 200

logger = logging.getLogger(__name__)

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
    """Write one Refusal row for each reason in the refusal; its param `tried` is the value that was tried.

    At most MOST_REASONS rows are written, and at most MOST_A_MINUTE by the same person within a minute. What is left
    out is counted in one log line.
    """
    rows = list(islice(rows_of(account, by, verb, refusal), _room_for(by)))
    Refusal.objects.bulk_create(rows)
    if left_out := sum(1 for _ in reasons_of(refusal)) - len(rows):
        logger.warning("%s refusals of %s by user %s were not recorded: too many", left_out, verb, by and by.pk)


def _room_for(by: User | None) -> int:
    """Return how many refusals may be recorded for an attempt by this person now."""
    if by is None:
        return MOST_REASONS
    lately = Refusal.objects.filter(by=by, at__gt=Now() - timedelta(minutes=1)).order_by()[:MOST_A_MINUTE].count()
    return max(0, min(MOST_REASONS, MOST_A_MINUTE - lately))


def rows_of(account: Account | None, by: User | None, verb: str, refusal: ValidationError) -> Iterator[Refusal]:
    """Yield one unsaved Refusal for each reason, with texts cut to their longest.

    Call it directly only to write the refusals of many accounts at once, which only staff can cause.
    """
    assert is_verb(verb), f"{verb} is in no app's VERBS or HIDDEN_FROM_CUSTOMERS: people would read it as it is"
    for field, reason in reasons_of(refusal):
        with translation.override(STORED):
            # Django's message of a constraint is already in the visitor's language, so look up the lazy sentence.
            message = str(sentence_of_constraint(reason.code) or reason.messages[0])
        yield Refusal(
            account=account,
            by=by,
            action=verb,
            field="" if field == NON_FIELD_ERRORS else without_nul(field)[:64],
            tried=without_nul(str((reason.params or {}).get("tried", "")))[:200],
            rule=(reason.code or "invalid")[:64],
            message=_cut(without_nul(message)),
        )


def _cut(message: str) -> str:
    return message if len(message) <= LONGEST_MESSAGE else f"{message[: LONGEST_MESSAGE - 1]}…"


def _words_of(denial: PermissionDenied) -> Any:
    """Return the message of the denial without converting it, since it may be lazy and `str` would fix its language."""
    return denial.args[0] if denial.args else ""
