"""Rules that the database itself enforces: each guard with its message, and the check that all guards are in place.

A guard is a trigger or a named constraint. An app's `guards.py` defines its triggers, each with the function it runs
and the sentence that people read when it refuses, and lists them in `GUARDS`. Migrations install or replace them
(`core/guards/operations.py`). Constraints are defined in the models, and the app's `constraints.txt` has their
definitions as the database prints them.
"""

from core.guards.applied import OUR_APPS, missing_migrations, unknown_migrations
from core.guards.checking import Finding, State, check_guards, findings
from core.guards.definition import DeferredGuard, Function, Guard, KeyGuard, LazyStr, SharedGuard, StatementGuard
from core.guards.forms import (
    REFUSE_ISOLATION,
    REFUSE_REFERENCED,
    REFUSE_ROW,
    REFUSE_TRUNCATE,
    append_only,
    deleted_last,
    keep_keys,
    kept,
    leaves_history,
    read_committed,
)
from core.guards.sentences import (
    Sentence,
    all_functions,
    all_guards,
    model_constraints,
    sentence_of,
    sentence_of_constraint,
)
from core.outbox.guards import GUARDS as OF_EMAIL

KEYS: list[Guard] = [*keep_keys("core_outgoingemail", config_joberror="job_id")]
GUARDS: list[Guard] = [*OF_EMAIL, *KEYS]

__all__ = [
    "GUARDS",
    "KEYS",
    "OUR_APPS",
    "REFUSE_ISOLATION",
    "REFUSE_REFERENCED",
    "REFUSE_ROW",
    "REFUSE_TRUNCATE",
    "DeferredGuard",
    "Finding",
    "Function",
    "Guard",
    "KeyGuard",
    "LazyStr",
    "Sentence",
    "SharedGuard",
    "State",
    "StatementGuard",
    "all_functions",
    "all_guards",
    "append_only",
    "check_guards",
    "deleted_last",
    "findings",
    "keep_keys",
    "kept",
    "leaves_history",
    "missing_migrations",
    "model_constraints",
    "read_committed",
    "sentence_of",
    "sentence_of_constraint",
    "unknown_migrations",
]
