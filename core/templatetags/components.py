"""The components of HostPilot's pages: each is a template in `templates/components/`, around what a page puts into it.

    {% card "held" %}
      {% slot "title" %}What you hold{% endslot %}
      {% slot "aside" %}<a class="button slim" href="…">Change</a>{% endslot %}
      <dl class="facts">…</dl>
      {% slot "foot" %}Prices are without taxes.{% endslot %}
    {% endcard %}

What has no content of its own is included: banner, field, messages, meter.
"""

from typing import Any

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

register = template.Library()

SLOTS = "slots of the component around"  # cards and confirmations, which stand in no other one


@register.simple_block_tag(takes_context=True)
def slot(context: Context, content: str, name: str) -> str:
    """Keep the content for the component around it, which shows it in its place of that name."""
    filled: dict[str, str] = _slots(context)
    context.render_context[SLOTS] = {**filled, name: content}
    return ""


@register.simple_block_tag(takes_context=True)
def card(context: Context, content: str, name: str, *, flush: bool = False) -> SafeString:
    """Show a card; `name` makes its heading's id, unique on the page.

    Slots: title, aside (beside it) and foot. `flush` leaves no space around the content, which is a table or an empty
    state.
    """
    return _component("card", content, name=name, flush=flush, **_slots(context))


@register.simple_block_tag
def data_table(content: str, label: str, *, kind: str = "") -> SafeString:
    """Show rows as a table that becomes cards on a phone; cells name their column in `data-label`.

    Screen readers hear the `label`, which no heading of the page says.
    """
    return _component("table", content, label=label, kind=kind)


@register.simple_block_tag
def empty_state(content: str, title: str, *, level: int = 2) -> SafeString:
    """Show an empty state: what is not there yet, and in the content what to do about it; `level` is the heading's."""
    return _component("empty", content, title=title, level=level)


@register.simple_block_tag
def note(content: str, kind: str = "", *, role: str = "") -> SafeString:
    """Show a note: `good`, `warn`, `bad`, or plain; with the role `alert` it is announced."""
    return _component("note", content, kind=kind, role=role)


@register.simple_block_tag(takes_context=True)
def confirmation(context: Context, content: str, action: str, token: str) -> SafeString:
    """Show once more what is about to be done, with the signed `token` of it, and ask to confirm or go back.

    Slots: title, and confirm, the words of the button.
    """
    around: dict[str, Any] = {"csrf_token": context.get("csrf_token"), **_slots(context)}
    return _component("confirmation", content, action=action, token=token, **around)


@register.inclusion_tag("components/icon.html")
def icon(name: str) -> dict[str, Any]:
    """Show one of `static/hostpilot/icons.svg`; words beside it say the same."""
    return {"name": name}


def _slots(context: Context) -> dict[str, str]:
    """Return the slots that were filled since the last component that has some, and empty them."""
    filled: dict[str, str] = context.render_context.get(SLOTS) or {}
    context.render_context[SLOTS] = {}
    return filled


def _component(component: str, content: str, **values: Any) -> SafeString:
    return render_to_string(f"components/{component}.html", {"content": content, **values})
