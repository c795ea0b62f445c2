"""The outbox: the queue of email, which knows neither accounts nor users."""

import django.db.models.functions.datetime
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("core", "0002_content_types")]

    operations = [
        migrations.CreateModel(
            name="OutgoingEmail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=32)),
                ("address", models.CharField(max_length=254)),
                ("data", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("due_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sent", "Sent"),
                            ("dropped", "Dropped: no longer true"),
                            ("failed", "Failed"),
                        ],
                        db_default="waiting",
                        max_length=8,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(db_default=0)),
                (
                    "settled_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="sent, dropped or given up at"),
                ),
                ("error", models.TextField(blank=True, db_default="", verbose_name="last error")),
                ("subject", models.TextField(blank=True, db_default="")),
                ("body", models.TextField(blank=True, db_default="", verbose_name="what was sent")),
            ],
            options={"ordering": ["-pk"], "default_permissions": ()},
        ),
        migrations.AddIndex(
            model_name="outgoingemail",
            index=models.Index(models.F("due_at"), condition=Q(("state", "waiting")), name="outgoing_email_due"),
        ),
        migrations.AddIndex(
            model_name="outgoingemail",
            index=models.Index(models.F("settled_at"), condition=Q(("state", "failed")), name="outgoing_email_failed"),
        ),
        migrations.AddConstraint(
            model_name="outgoingemail",
            constraint=models.CheckConstraint(
                condition=Q(
                    Q(("settled_at", None), ("state", "waiting")),
                    Q(Q(("state", "waiting"), _negated=True), ("settled_at__isnull", False)),
                    _connector="OR",
                ),
                name="outgoing_email_is_settled_once",
            ),
        ),
    ]
