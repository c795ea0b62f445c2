from django.urls import path

from onboarding import views

urlpatterns = [
    path("accounts/<str:number>/contact-center/go-live/", views.go_live, name="go_live"),
    path("accounts/<str:number>/contact-center/go-live/withdraw/", views.withdraw, name="withdraw_go_live"),
]
