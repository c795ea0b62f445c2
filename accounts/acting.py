"""How every action runs: under the account's lock, in one transaction, with what it refuses recorded."""

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
    """A denial of which a Refusal was left."""


@overload
def action(verb: Callable[Concatenate[Account, P], R], /) -> Callable[Concatenate[Account, P], R]: ...


@overload
def action(
    *, records_as: str
) -> Callable[[Callable[Concatenate[Account, P], R]], Callable[Concatenate[Account, P], R]]: ...


def action(verb: Callable[..., Any] | None = None, /, *, records_as: str = "") -> Callable[..., Any]:
    """Make an action of a verb on an account: one transaction under the account's lock, and one `by`.

    The verb gets the account as it stands after the lock. What it refuses is recorded (`recording_refusals`) under its
    own name, or under `records_as` if it is the rehearsal of another verb: `@action` or `@action(records_as="…")`.
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
    """Do what is inside in one transaction, and record under the verb what it refuses.

    A refusal (a ValidationError, or a guard of the database, which becomes one) undoes all that was written, leaves one
    Refusal row for each reason, and is raised again; so is a PermissionDenied, as RecordedDenial. AlreadyDone leaves
    none.
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
            # Django made the words of a constraint in the visitor's language, for good: here they are made anew.
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
    """Return why it was denied as it was said, which may have words in each language; `str` would choose one."""
    return denial.args[0] if denial.args else ""
