"""The sentences that people read when the database refuses something.

A trigger's error has SQLSTATE 23514 and the guard's name as CONSTRAINT, so in Python it is an IntegrityError whose name
can be looked up here. The error of a constraint has the constraint's name anyway.
"""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

from django.apps import apps
from django.db import IntegrityError, models

from core.guards.applied import OUR_APPS
from core.guards.definition import Function, Guard, LazyStr


@dataclass(frozen=True)
class Sentence:
    """The name of the guard that refused, and the sentence that says why."""

    guard: str
    text: LazyStr


def all_guards() -> Iterator[Guard]:
    """Yield the triggers of every app that has a `guards` module."""
    for module in _modules():
        yield from getattr(module, "GUARDS", [])


def all_functions() -> Iterator[Function]:
    """Yield the functions that guards call, and those that several guards share."""
    for module in _modules():
        yield from getattr(module, "FUNCTIONS", [])


def _modules() -> Iterator[ModuleType]:
    for config in apps.get_app_configs():
        try:
            yield importlib.import_module(f"{config.name}.guards")
        except ModuleNotFoundError:
            continue


def sentence_of(error: IntegrityError) -> Sentence | None:
    """Return the guard that raised the error and its sentence, or None if a constraint has no sentence of its own."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    if not name:
        return None
    for guard in all_guards():
        if guard.name == name:
            return Sentence(name, guard.sentence)
    text = sentence_of_constraint(name)
    return Sentence(name, text) if text else None


def sentence_of_constraint(name: str | None) -> "LazyStr | None":
    """Return the sentence of the model constraint with this name, or None if there is no such constraint."""
    for constraint in model_constraints():
        if name and constraint.name == name:
            return constraint.violation_error_message
    return None


def model_constraints() -> Iterator[models.BaseConstraint]:
    """Yield the constraints of this project's models."""
    for model in apps.get_models():
        if model.__module__.split(".")[0] in OUR_APPS:
            yield from model._meta.constraints
