"""How every action runs: under the account's lock, in one transaction, with what it refuses recorded."""

import functools
from collections.abc import Callable, Iterator
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import translation

from accounts.language import STORED
from accounts.models import Account, Refusal, User
from core.guards import sentence_of, sentence_of_constraint
from core.refusals import AlreadyDone, reasons_of, without_nul

P = ParamSpec("P")
R = TypeVar("R")


def action(verb: Callable[Concatenate[Account, P], R], *, records_as: str = "") -> Callable[Concatenate[Account, P], R]:
    """Make an action of a verb on an account: one transaction under the account's lock, and one `by`.

    What it refuses is recorded under the verb's name, or under `records_as` for the rehearsal of another verb.

    The verb gets the account as it stands after the lock. A refusal (a ValidationError, or a guard of the
    database, which becomes one) undoes all the verb wrote, leaves one Refusal row for each reason, and is
    raised again; so is a PermissionDenied.
    """

    name = records_as or verb.__name__

    @functools.wraps(verb)
    def run(account: Account, /, *args: P.args, **kwargs: P.kwargs) -> R:
        by = kwargs["by"]
        assert isinstance(by, User), "an action is always taken by somebody"
        try:
            with transaction.atomic():
                return verb(Account.objects.locked().get(pk=account.pk), *args, **kwargs)
        except AlreadyDone:
            raise
        except ValidationError as refusal:
            record_refusals(account, by, name, refusal)
            raise
        except PermissionDenied as denial:
            record_refusals(account, by, name, ValidationError(_words_of(denial), code="permission_denied"))
            vars(denial)["is_recorded"] = True
            raise
        except IntegrityError as error:
            sentence = sentence_of(error)
            if sentence is None:
                raise
            guarded = ValidationError(sentence.text, code=sentence.guard)
            record_refusals(account, by, name, guarded)
            raise guarded from error

    return run


def record_refusals(account: Account | None, by: User | None, verb: str, refusal: ValidationError) -> None:
    """Write one Refusal row for each reason in the refusal; its param `tried` is the value that was tried."""
    Refusal.objects.bulk_create(rows_of(account, by, verb, refusal))


def rows_of(account: Account | None, by: User | None, verb: str, refusal: ValidationError) -> Iterator[Refusal]:
    """Yield one unsaved Refusal for each reason, for callers who write those of many accounts at once."""
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
