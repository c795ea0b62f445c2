"""The triggers that enforce the rules of the onboarding mode and its notices in the database."""

from django.utils.translation import gettext_lazy as _

from core.guards import Guard, StatementGuard, append_only, keep_keys, kept, leaves_history, read_committed
from core.migration_guards import local_day_of

# If the day is left out, the trigger fills it in. A wrong day is refused, and so is a time zone without rules.
BORN_IN_ONBOARDING = Guard(
    "onboarding_is_born_in_onboarding",
    "onboarding_onboarding",
    "INSERT",
    """
    IF NEW.activated_at IS NOT NULL THEN REFUSE; END IF;
    NEW.started_on := coalesce(NEW.started_on,
        local_day((SELECT timezone FROM accounts_account WHERE id = NEW.account_id), NEW.started_at));
    IF NEW.started_on IS DISTINCT FROM
        local_day((SELECT timezone FROM accounts_account WHERE id = NEW.account_id), NEW.started_at) THEN
        REFUSE;
    END IF;
    """,
    "An account starts in onboarding; it can't be created active.",
)

ACTIVATION_IS_FINAL = Guard(
    "onboarding_activation_is_final",
    "onboarding_onboarding",
    "UPDATE",
    """
    IF (NEW.id, NEW.account_id, NEW.started_at, NEW.started_on)
        IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.started_at, OLD.started_on) THEN
        REFUSE;
    END IF;
    IF OLD.activated_at IS NOT NULL
        AND (NEW.activated_at, NEW.activated_on, NEW.activated_by_id, NEW.activated_from, NEW.reason)
            IS DISTINCT FROM
            (OLD.activated_at, OLD.activated_on, OLD.activated_by_id, OLD.activated_from, OLD.reason) THEN
        REFUSE;
    END IF;
    IF OLD.activated_at IS NULL AND NOT made_now(NEW.activated_at) THEN
        REFUSE;
    END IF;
    IF OLD.activated_at IS NULL AND NEW.activated_at IS NOT NULL AND NEW.activated_on IS NULL THEN
        NEW.activated_on :=
            local_day((SELECT timezone FROM accounts_account WHERE id = NEW.account_id), NEW.activated_at);
    END IF;
    """,
    _(
        "An activation is dated when it is made and can't be undone or changed, and the record of an account's "
        "onboarding can't be moved."
    ),
)

ACTIVATED_BY_THE_TEAM = StatementGuard(
    "onboarding_activated_by_the_team",
    "onboarding_onboarding",
    "UPDATE",
    """
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT n.activated_by_id AS id, n.activated_from AS origin
                     FROM after_rows n JOIN before_rows o ON o.id = n.id
                     WHERE o.activated_at IS NULL AND n.activated_at IS NOT NULL) activator
        WHERE NOT EXISTS (
            SELECT FROM accounts_user u
            WHERE u.id = activator.id AND u.is_active AND (
                u.is_system AND activator.origin = 'schedule'
                OR u.is_staff AND (u.is_superuser OR EXISTS (
                    SELECT FROM auth_permission p
                    JOIN django_content_type t ON t.id = p.content_type_id
                    WHERE p.codename = 'activate_account' AND t.app_label = 'onboarding' AND (
                        EXISTS (SELECT FROM accounts_user_user_permissions g
                                WHERE g.user_id = u.id AND g.permission_id = p.id)
                        OR EXISTS (SELECT FROM accounts_user_groups m
                                   JOIN auth_group_permissions g ON g.group_id = m.group_id
                                   WHERE m.user_id = u.id AND g.permission_id = p.id))))))
    ) THEN
        REFUSE;
    END IF;
    -- A schedule takes the place of the deadline.
    IF EXISTS (
        SELECT FROM after_rows n JOIN before_rows o ON o.id = n.id
        WHERE n.activated_from = 'schedule' AND n.activated_at IS NOT NULL AND o.activated_at IS NULL
            AND NOT coalesce(o.scheduled_on <= n.activated_on, o.announced_for <= n.activated_on, false)
    ) THEN
        REFUSE;
    END IF;
    """,
    "Only an active member of staff with the permission to activate accounts can activate one, or the schedule "
    "on a day that was scheduled or announced.",
    rows="after_rows",
)

# NOT IN uses a hash lookup. With a join of the rows before and after, the planner would expect a single row and choose
# a nested loop. OFFSET 0 makes it look up the account of each row, and never the rows of each account, even if the
# statistics are outdated.
ACTIVATION_DAY_IS_LOCAL = StatementGuard(
    "activation_day_is_local",
    "onboarding_onboarding",
    "UPDATE",
    f"""
    IF EXISTS (
        SELECT FROM after_rows n
        CROSS JOIN LATERAL (SELECT timezone FROM accounts_account WHERE id = n.account_id OFFSET 0) a
        LEFT JOIN accounts_timezone z ON z.name = a.timezone
        WHERE n.activated_at IS NOT NULL AND n.id NOT IN (SELECT id FROM before_rows WHERE activated_at IS NOT NULL)
            AND n.activated_on IS DISTINCT FROM {local_day_of("n.activated_at", "z")}
    ) THEN
        REFUSE;
    END IF;
    """,
    "The day of an activation is the local day of its instant, by the time zone rules of this product.",
    rows="after_rows",
)

NEVER_DELETED = Guard(
    "onboarding_is_never_deleted",
    "onboarding_onboarding",
    "DELETE",
    "REFUSE;",
    "The onboarding of an account is never deleted.",
)

LEAVES_HISTORY = leaves_history(
    "onboarding_leaves_history",
    "onboarding_onboarding",
    "onboarding_historicalonboarding",
    [
        *("account_id", "started_at", "activated_at", "activated_by_id", "activated_from", "reason"),
        *("owner_id", "deadline_rule", "deadline_on", "deadline_reason"),
        *("scheduled_on", "scheduled_by_id", "schedule_reason", "announced_for"),
    ],
    "Every change of the mode and of what is planned for it leaves a row of history.",
)

# Only the email decides whether a notice was dropped. A new notice must not be marked as dropped; otherwise two notices
# could be sent for one occasion.
NOTICE_IS_FINAL = Guard(
    "notice_is_final",
    "onboarding_notice",
    "INSERT OR UPDATE",
    """
    IF TG_OP = 'INSERT' THEN
        IF NEW.dropped THEN REFUSE; END IF;
    ELSIF (NEW.email_id, NEW.account_id, NEW.to_id, NEW.kind, NEW.occasion)
        IS DISTINCT FROM (OLD.email_id, OLD.account_id, OLD.to_id, OLD.kind, OLD.occasion) THEN
        REFUSE;
    ELSIF NEW.dropped IS DISTINCT FROM OLD.dropped AND NOT (NEW.dropped
        AND EXISTS (SELECT FROM core_outgoingemail WHERE id = NEW.email_id AND state = 'dropped')) THEN
        REFUSE;
    END IF;
    """,
    "To whom a notice goes and what it is about never changes; only its email decides whether it was dropped.",
)
NOTICE_IS_DROPPED_WITH_ITS_EMAIL = StatementGuard(
    "notice_is_dropped_with_its_email",
    "core_outgoingemail",
    "UPDATE",
    """
    UPDATE onboarding_notice notice SET dropped = true
        FROM written n JOIN before_rows o ON o.id = n.id
        WHERE notice.email_id = n.id AND n.state = 'dropped' AND o.state <> 'dropped';
    """,
    "A notice whose email was dropped leaves room for another one of the same occasion.",
)
NOTICE_IS_NEVER_DELETED = Guard(
    "notice_is_never_deleted", "onboarding_notice", "DELETE", "REFUSE;", "A notice is never deleted."
)

KEYS: list[Guard] = [
    *keep_keys(
        "onboarding_onboarding",
        "onboarding_goliverequest",
        onboarding_notice="email_id",
    ),
]
GUARDS: list[Guard] = [
    *KEYS,
    BORN_IN_ONBOARDING,
    ACTIVATION_IS_FINAL,
    ACTIVATED_BY_THE_TEAM,
    ACTIVATION_DAY_IS_LOCAL,
    *read_committed("onboarding_onboarding"),
    NEVER_DELETED,
    kept("onboarding_onboarding", "The onboarding of accounts is never emptied."),
    LEAVES_HISTORY,
    *append_only("onboarding_note", "A note"),
    NOTICE_IS_FINAL,
    NOTICE_IS_DROPPED_WITH_ITS_EMAIL,
    NOTICE_IS_NEVER_DELETED,
    kept("onboarding_notice", "Notices are never emptied."),
    *append_only("onboarding_historicalonboarding", "History"),
    *append_only("onboarding_historicalgoliverequest", "History"),
]
