"""Permissions when a model gets another name, for migrations: what these return must never change."""

from django.db.migrations import RunSQL


def rename_permissions(app: str, *, old: str, new: str) -> RunSQL:
    """Return the operation that keeps the permissions on a model for those who have them: `change_old` to `change_new`.

    It follows RenameModel, which renames the content type. Groups get the permissions of new names after each migrate;
    what was given to a person or a group of one's own is only kept by this.
    """
    return RunSQL(
        f"""
        UPDATE auth_permission p SET codename = regexp_replace(codename, '_{old}$', '_{new}') FROM django_content_type t
        WHERE p.content_type_id = t.id AND t.app_label = '{app}' AND p.codename LIKE '%\\_{old}'
            AND NOT EXISTS (
                SELECT FROM auth_permission q
                WHERE q.content_type_id = p.content_type_id
                    AND q.codename = regexp_replace(p.codename, '_{old}$', '_{new}'))
        """,
        RunSQL.noop,
    )
