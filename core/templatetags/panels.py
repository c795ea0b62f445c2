"""The panels of a page of the back office to which several apps add."""

from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_tag(takes_context=True)
def panels_in(context: Any, area: str) -> SafeString:
    """Return the panels of an area of the page, each rendered with what it needs beside what the page has."""
    shown = []
    for panel, needed in context.get("panels", {}).get(area, ()):
        with context.push(**needed):
            shown.append(context.template.engine.get_template(panel.template).render(context))
    return mark_safe("".join(shown))
