"""The triggers that hold the mode in the database, whoever writes to it."""

from django.utils.translation import gettext_lazy as _

from core.guards import Guard, append_only, read_committed

GUARDS = [
    Guard(
        "onboarding_is_born_in_onboarding",
        "onboarding_onboarding",
        "An account starts in onboarding; it can't be created active.",
    ),
    Guard(
        "onboarding_activation_is_final",
        "onboarding_onboarding",
        _("An activation can't be undone or changed, and the record of an account's onboarding can't be moved."),
    ),
    Guard(
        "onboarding_activated_by_the_team",
        "onboarding_onboarding",
        "Only an active member of staff with the permission to activate accounts can activate one, or the schedule.",
    ),
    Guard(
        "activation_day_is_local",
        "onboarding_onboarding",
        "The day of an activation is the local day of its instant, by the time zone rules of this product.",
    ),
    *read_committed("onboarding_onboarding"),
    Guard("onboarding_is_never_deleted", "onboarding_onboarding", "The onboarding of an account is never deleted."),
    Guard("onboarding_onboarding_is_kept", "onboarding_onboarding", "The onboarding of accounts is never emptied."),
    Guard(
        "onboarding_leaves_history",
        "onboarding_onboarding",
        "Every change of the mode and of what is planned for it leaves a row of history.",
    ),
    *append_only("onboarding_note", "A note"),
    Guard(
        "notice_is_final",
        "onboarding_notice",
        "To whom a notice goes and what it is about never changes; only its email decides whether it was dropped.",
    ),
    Guard(
        "notice_is_dropped_with_its_email",
        "core_outgoingemail",
        "A notice whose email was dropped leaves room for another one of the same occasion.",
    ),
    Guard("notice_is_never_deleted", "onboarding_notice", "A notice is never deleted."),
    Guard("onboarding_notice_is_kept", "onboarding_notice", "Notices are never emptied."),
    *append_only("onboarding_historicalonboarding", "History"),
    *append_only("onboarding_historicalgoliverequest", "History"),
]
