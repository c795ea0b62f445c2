"""What issued documents show is kept with them (R37, I22)."""

import django.db.models.deletion
from django.db import migrations, models

from billing.guards.documents import GUARDS
from core.guards.operations import install


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0020_parties'),
        ('subscriptions', '0013_spanish_names'),
    ]

    operations = [
        migrations.CreateModel(
            name='Presentation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content', models.JSONField()),
                ('digest', models.CharField(max_length=64, unique=True)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='InvoiceDocument',
            fields=[
                ('company', models.CharField(max_length=200)),
                ('account_number', models.CharField(max_length=12)),
                ('timezone', models.CharField(max_length=64)),
                ('language', models.CharField(max_length=2)),
                ('issued_on', models.DateField(help_text="In the account's time zone.")),
                ('reconstructed', models.BooleanField(db_default=False, default=False)),
                ('digest', models.CharField(max_length=64)),
                ('invoice', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='document', serialize=False, to='billing.invoice')),
                ('due_on', models.DateField(null=True)),
                ('issuer', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.issuer')),
                ('profile', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.billingprofile')),
                ('presentation', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.presentation')),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('issuer__isnull', False), ('reconstructed', True), _connector='OR'), name='invoicedocument_has_an_issuer', violation_error_message='A document names who issues it.')],
            },
        ),
        migrations.CreateModel(
            name='CreditNoteDocument',
            fields=[
                ('company', models.CharField(max_length=200)),
                ('account_number', models.CharField(max_length=12)),
                ('timezone', models.CharField(max_length=64)),
                ('language', models.CharField(max_length=2)),
                ('issued_on', models.DateField(help_text="In the account's time zone.")),
                ('reconstructed', models.BooleanField(db_default=False, default=False)),
                ('digest', models.CharField(max_length=64)),
                ('note', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='document', serialize=False, to='billing.creditnote')),
                ('issuer', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.issuer')),
                ('profile', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.billingprofile')),
                ('presentation', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.presentation')),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('issuer__isnull', False), ('reconstructed', True), _connector='OR'), name='creditnotedocument_has_an_issuer', violation_error_message='A document names who issues it.')],
            },
        ),
        install(*GUARDS),
    ]
