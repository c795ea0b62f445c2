from django.urls import path

from accounts import views

urlpatterns = [
    path("", views.home, name="home"),
    path("accounts/<str:number>/", views.overview, name="overview"),
    path("accounts/<str:number>/audit-log/", views.audit_log, name="audit_log"),
    path("accounts/<str:number>/audit-log/csv/", views.audit_log_csv, name="audit_log_csv"),
]
