"""Permissions on jobs are kept: those who had them under the app's old name, config, have them under its new one."""

from django.db import migrations

RENAME = """
UPDATE django_content_type t SET app_label = '{new}' WHERE app_label = '{old}' AND model IN ('job', 'joberror')
    AND NOT EXISTS (SELECT FROM django_content_type o WHERE o.app_label = '{new}' AND o.model = t.model)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0001_jobs"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RunSQL(RENAME.format(old="config", new="core"), RENAME.format(old="core", new="config")),
    ]
