"""Notices by email: the state of each, what was sent, and the action that sends one again."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import linebreaksbr
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import Truncator
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts.roles import staff_of
from core.admin import ReadOnlyAdmin
from core.outbox.models import EmailState
from core.verbs import stands_for
from onboarding.actions.send_again import MAY_SEND, send_again
from onboarding.models import Notice

SHOWN_OF_ERROR = 60
MOST_NAMED = 100
CONFIRMED = "confirmed"


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """Notices, which actions write and the worker sends. Staff can read them, and requeue those that were not sent."""

    list_display = ("kind", "account", "to", "status", "written", "settled", "attempts", "last_error")
    list_filter = ("email__state", "kind", "email__created_at")
    search_fields = ("account__number", "account__company", "to__email")
    search_help_text = "Number or company of the account, or the person’s e-mail address"
    fields: Any = (
        ("kind", "status"),
        ("account", "to"),
        ("written", "settled"),
        ("attempts", "next_try"),
        "error",
        "subject",
        "sent_words",
    )
    actions = ("send_selected_again",)
    actions_detail = ("send_one_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        """Fetch each notice with its email, which has the state of the delivery, and with the account and recipient."""
        notices: QuerySet[Notice] = super().get_queryset(request)
        return notices.select_related("email", "account", "to")

    @display(
        description="State",
        ordering="email__state",
        label={"Waiting": "info", "Sent": "success", "Failed": "danger", "Dropped: no longer true": None},
    )
    def status(self, notice: Notice) -> str:
        return notice.email.get_state_display()

    @display(description="Written", ordering="email__created_at")
    def written(self, notice: Notice) -> str | None:
        return _shown(notice.email.created_at)

    @display(description="Sent or settled", ordering="email__settled_at", empty_value="–")
    def settled(self, notice: Notice) -> str | None:
        return _shown(notice.email.settled_at)

    @display(description="Attempts", ordering="email__attempts")
    def attempts(self, notice: Notice) -> int:
        return notice.email.attempts

    @display(description="Last error", empty_value="–")
    def error(self, notice: Notice) -> str | None:
        return notice.email.error or None

    @display(description="Subject", empty_value="–")
    def subject(self, notice: Notice) -> str | None:
        return notice.email.subject or None

    @display(description="Last error", empty_value="–")
    def last_error(self, notice: Notice) -> str | None:
        return Truncator(notice.email.error).chars(SHOWN_OF_ERROR) or None

    @display(description="Next try", empty_value="–")
    def next_try(self, notice: Notice) -> str | None:
        return _shown(notice.email.due_at) if notice.email.state == EmailState.WAITING else None

    @display(description="What was sent", empty_value="–")
    def sent_words(self, notice: Notice) -> str | None:
        return linebreaksbr(notice.email.body) if notice.email.body else None

    def has_send_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(MAY_SEND)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer the button only if the notice is waiting or has failed."""
        notice = self.get_object(request, str(object_id))
        open_still = notice is not None and notice.email.state in (EmailState.WAITING, EmailState.FAILED)
        return super().get_actions_detail(request, object_id) if open_still else []

    @action(description="Send again now…", permissions=["send"], url_path="send-again", icon="forward_to_inbox")
    @stands_for("send_again")
    def send_selected_again(self, request: HttpRequest, queryset: QuerySet[Notice]) -> HttpResponse | None:
        """List the selected notices, and send them again once that is confirmed."""
        keys = list(queryset.values_list("pk", flat=True))
        if CONFIRMED in request.POST:
            self._send_again(request, keys)
            return None
        context = {
            "notices": queryset.select_related("account", "to", "email").order_by("pk")[:MOST_NAMED],
            "count": len(keys),
            "kept": [("action", request.POST["action"]), *((ACTION_CHECKBOX_NAME, key) for key in keys)],
            "confirmed": CONFIRMED,
            "back": request.get_full_path(),
        }
        return self._asked(request, "send_many_again.html", context)

    @action(
        description="Send again now…",
        permissions=["send"],
        url_path="send-again",
        icon="forward_to_inbox",
        variant=ActionVariant.PRIMARY,
    )
    @stands_for("send_again")
    def send_one_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        notice = self.row_or_404(request, object_id)
        back = reverse("admin:onboarding_notice_change", args=[notice.pk])
        if request.method == "POST":
            self._send_again(request, [notice.pk])
            return HttpResponseRedirect(back)
        return self._asked(request, "send_again.html", {"notice": notice, "back": back})

    def _asked(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        frame = {**self.admin_site.each_context(request), "title": "Send again now", "opts": Notice._meta}
        return TemplateResponse(request, f"admin/onboarding/notice/{template}", {**frame, **context})

    def _send_again(self, request: HttpRequest, keys: Sequence[int]) -> None:
        """Requeue the notices, record in the admin's log who did it, and show the outcome as messages."""
        by = staff_of(request, MAY_SEND)
        done = send_again(keys, by=by)
        LogEntry.objects.log_actions(
            by.pk, Notice.objects.filter(pk__in=done.due), CHANGE, "Made due again, as if never tried."
        )
        if done.due:
            messages.success(request, f"{_notices(len(done.due))} will be sent with the worker’s next round.")
        for why, count in Counter(done.refused.values()).items():
            messages.warning(request, f"{_notices(count)} can’t be sent again: {why}")


def _shown(at: datetime | None) -> str | None:
    """Return an instant in UTC, as in the worker's log, since notices belong to accounts in many time zones."""
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else None


def _notices(count: int) -> str:
    return "1 notice" if count == 1 else f"{count:,} notices"
