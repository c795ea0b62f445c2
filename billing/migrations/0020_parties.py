"""The provider and the customers as documents name them: rows that are only added (R38)."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django_countries.fields
from django.conf import settings
from django.db import migrations, models

from billing.guards.parties import GUARDS
from core.guards.operations import install


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0010_made_now'),
        ('billing', '0019_number_gaps'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='BillingProfile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('legal_name', models.CharField(max_length=200, verbose_name='legal name')),
                ('street', models.CharField(max_length=200, verbose_name='street')),
                ('street_2', models.CharField(blank=True, max_length=200, verbose_name='second line of the address')),
                ('city', models.CharField(max_length=100, verbose_name='city')),
                ('region', models.CharField(blank=True, max_length=100, verbose_name='state or region')),
                ('postal_code', models.CharField(blank=True, max_length=20, verbose_name='postal code')),
                ('country', django_countries.fields.CountryField(max_length=2, verbose_name='country')),
                ('tax_number', models.CharField(blank=True, max_length=50, verbose_name='tax number')),
                ('version', models.PositiveIntegerField(editable=False)),
                ('purchase_order', models.CharField(blank=True, help_text='Printed on each invoice.', max_length=50, verbose_name='purchase order number')),
                ('invoice_email', models.EmailField(blank=True, max_length=254, verbose_name='invoice email')),
                ('language', models.CharField(choices=[('en', 'English'), ('es', 'Español')], default='en', max_length=2, verbose_name='language of invoices')),
                ('saved_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='billing_profiles', to='accounts.account')),
                ('saved_by', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['account', '-version'],
                'default_permissions': ('change', 'view'),
                'constraints': [models.UniqueConstraint(fields=('account', 'version'), name='billing_profile_version'), models.CheckConstraint(condition=models.Q(('language__in', ['en', 'es'])), name='billing_profile_language', violation_error_message='Invoices are in English or Spanish.')],
            },
        ),
        migrations.CreateModel(
            name='Issuer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('legal_name', models.CharField(max_length=200, verbose_name='legal name')),
                ('street', models.CharField(max_length=200, verbose_name='street')),
                ('street_2', models.CharField(blank=True, max_length=200, verbose_name='second line of the address')),
                ('city', models.CharField(max_length=100, verbose_name='city')),
                ('region', models.CharField(blank=True, max_length=100, verbose_name='state or region')),
                ('postal_code', models.CharField(blank=True, max_length=20, verbose_name='postal code')),
                ('country', django_countries.fields.CountryField(max_length=2, verbose_name='country')),
                ('tax_number', models.CharField(blank=True, max_length=50, verbose_name='tax number')),
                ('effective_from', models.DateField(help_text='Invoices and credit notes issued on this day or later name this issuer, until a later one.')),
                ('contact_name', models.CharField(blank=True, help_text='A person or a department.', max_length=200, verbose_name='contact for questions')),
                ('email', models.EmailField(max_length=254, verbose_name='email for questions')),
                ('phone', models.CharField(blank=True, max_length=50, verbose_name='phone for questions')),
                ('terms_days', models.PositiveSmallIntegerField(default=30, help_text='An invoice is due this many days after its date.', validators=[django.core.validators.MaxValueValidator(365)], verbose_name='payment terms, days')),
                ('payment_instructions', models.TextField(blank=True, help_text='How to pay, like a bank account. Printed on each invoice.', max_length=2000, validators=[django.core.validators.MaxLengthValidator(2000)])),
                ('added_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('added_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-effective_from', '-pk'],
                'default_permissions': ('add', 'view'),
                'constraints': [models.CheckConstraint(condition=models.Q(('terms_days__lte', 365)), name='issuer_terms_are_days', violation_error_message='Payment terms are at most 365 days.')],
            },
        ),
        install(*GUARDS),
    ]
