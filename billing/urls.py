from django.urls import path

from billing import views

BILLING = "accounts/<str:number>/billing/"

urlpatterns = [
    path(BILLING, views.running_month, name="billing"),
    path(BILLING + "invoices/", views.invoices, name="invoices"),
    path(BILLING + "invoices/<int:invoice>/", views.invoice_page, name="invoice"),
    path(BILLING + "invoices/<int:invoice>/pdf/", views.invoice_pdf, name="invoice_pdf"),
    path(BILLING + "invoices/<int:invoice>/xml/", views.invoice_xml, name="invoice_xml"),
    path(BILLING + "profile/", views.billing_profile, name="billing_profile"),
    path(BILLING + "credit-notes/<int:note>/pdf/", views.credit_note_pdf, name="credit_note_pdf"),
    path(BILLING + "credit-notes/<int:note>/xml/", views.credit_note_xml, name="credit_note_xml"),
    path(BILLING + "usage/", views.usage, name="usage"),
    path(BILLING + "usage/calls/csv/", views.calls_csv, name="calls_csv"),
    path(BILLING + "usage/csv/", views.usage_csv, name="usage_csv"),
    path(BILLING + "usage/<str:day>/", views.day_calls, name="day_calls"),
]
