"""The components of HostPilot's pages: template tags that wrap a page's content in a template of `components/`.

    {% card "held" %}
      {% slot "title" %}What you hold{% endslot %}
      {% slot "aside" %}<a class="button slim" href="…">Change</a>{% endslot %}
      <dl class="facts">…</dl>
      {% slot "foot" %}Prices are without taxes.{% endslot %}
    {% endcard %}

Components without content are templates that pages include: banner, field, messages, meter.
"""

from typing import Any

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

register = template.Library()

SLOTS = "slots of the component around"  # of a card or confirmation, which are never inside another component


@register.simple_block_tag(takes_context=True)
def slot(context: Context, content: str, name: str) -> str:
    """Store the content for the enclosing component, which shows it in its slot of this name."""
    filled: dict[str, str] = _slots(context)
    context.render_context[SLOTS] = {**filled, name: content}
    return ""


@register.simple_block_tag(takes_context=True)
def card(context: Context, content: str, name: str, *, flush: bool = False) -> SafeString:
    """Show a card. The heading's id is made of `name`, which must be unique on the page.

    Slots: title, aside (beside the title) and foot. `flush` removes the space around the content, for a table or an
    empty state.
    """
    return _component("card", content, name=name, flush=flush, **_slots(context))


@register.simple_block_tag
def data_table(content: str, label: str, *, kind: str = "") -> SafeString:
    """Show a table that becomes a list of cards on a phone; cells name their column in `data-label`.

    The `label` is for screen readers, since no heading names the table.
    """
    return _component("table", content, label=label, kind=kind)


@register.simple_block_tag
def empty_state(content: str, title: str, *, level: int = 2) -> SafeString:
    """Show an empty state: the title says what is missing, the content what to do. `level` is that of the heading."""
    return _component("empty", content, title=title, level=level)


@register.simple_block_tag
def note(content: str, kind: str = "", *, role: str = "") -> SafeString:
    """Show a note of the kind `good`, `warn`, `bad`, or plain; with the role `alert`, screen readers announce it."""
    return _component("note", content, kind=kind, role=role)


@register.simple_block_tag(takes_context=True)
def confirmation(context: Context, content: str, action: str, token: str) -> SafeString:
    """Show what is about to change, and ask to confirm it or go back. The form posts the signed `token` to `action`.

    Slots: title, and confirm, which is the text of the button.
    """
    around: dict[str, Any] = {"csrf_token": context.get("csrf_token"), **_slots(context)}
    return _component("confirmation", content, action=action, token=token, **around)


@register.inclusion_tag("components/icon.html")
def icon(name: str) -> dict[str, Any]:
    """Show an icon of `static/hostpilot/icons.svg`. Screen readers skip it, since the text beside it says the same."""
    return {"name": name}


def _slots(context: Context) -> dict[str, str]:
    """Return the slots that were filled for the current component, and clear them for the next one."""
    filled: dict[str, str] = context.render_context.get(SLOTS) or {}
    context.render_context[SLOTS] = {}
    return filled


def _component(component: str, content: str, **values: Any) -> SafeString:
    return render_to_string(f"components/{component}.html", {"content": content, **values})
