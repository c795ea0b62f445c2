"""To whom documents were sent by email (R39)."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from billing.guards.deliveries import GUARDS
from core.guards.operations import install


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0022_documents_of_before'),
        ('core', '0005_keys'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('email', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='core.outgoingemail')),
                ('again_by', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('invoice', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='billing.invoice')),
                ('note', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='billing.creditnote')),
                ('to', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'deliveries',
                'ordering': ['pk'],
                'permissions': [('send_document', 'Can send an invoice or credit note again')],
                'default_permissions': ('view',),
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('invoice', None), ('note__isnull', False)), models.Q(('invoice__isnull', False), ('note', None)), _connector='OR'), name='delivery_is_of_one_document', violation_error_message='An email has one document.'), models.UniqueConstraint(condition=models.Q(('again_by', None), ('invoice__isnull', False)), fields=('invoice', 'to'), name='invoice_is_sent_once', nulls_distinct=False, violation_error_message='This person already got the invoice.'), models.UniqueConstraint(condition=models.Q(('again_by', None), ('note__isnull', False)), fields=('note', 'to'), name='credit_note_is_sent_once', nulls_distinct=False, violation_error_message='This person already got the credit note.')],
            },
        ),
        migrations.AlterField(
            "billingprofile",
            "invoice_email",
            models.EmailField(
                blank=True,
                help_text="Invoices are also sent here, in addition to the account's owners and billing managers.",
                max_length=254,
                verbose_name="invoice email",
            ),
        ),
        install(*GUARDS),
    ]
