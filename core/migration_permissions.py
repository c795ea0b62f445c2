"""Renaming permissions together with a model, for migrations. What these helpers return must never change."""

from django.db.migrations import RunSQL


def rename_permissions(app: str, *, old: str, new: str) -> RunSQL:
    """Return the operation that renames the permissions on a model, from `change_old` to `change_new` and so on.

    It comes after RenameModel, which renames the content type. Our own groups get the new permissions after each
    migrate anyway, but without this operation, users and other groups would lose what was granted to them by hand. On
    the way back the new names stay, since this release's groups are granted them after that migrate, too.
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
