"""URLs of the admin."""

from typing import Any

from django.urls import reverse


def page(model: Any, name: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)
