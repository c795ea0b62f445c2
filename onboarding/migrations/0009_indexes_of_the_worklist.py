"""Indexes for what the dashboard counts and the worklist shows first."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_system_member_guard'),
        ('onboarding', '0008_notice_once_unless_dropped'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='goliverequest',
            index=models.Index(models.F('wanted_on'), condition=models.Q(('answered_at', None), ('withdrawn_at', None)), name='go_live_wanted'),
        ),
        migrations.AddIndex(
            model_name='onboarding',
            index=models.Index(models.F('started_at'), models.F('id'), condition=models.Q(('activated_at', None)), name='onboarding_by_age'),
        ),
        migrations.AddIndex(
            model_name='onboarding',
            index=models.Index(models.F('deadline_on'), condition=models.Q(('activated_at', None), ('deadline_on__isnull', False)), name='own_deadline'),
        ),
        migrations.AddIndex(
            model_name='onboarding',
            index=models.Index(models.F('activated_at'), condition=models.Q(('activated_at__isnull', False)), name='onboarding_activated'),
        ),
    ]
