from django.urls import path

from subscriptions import views

CENTER = "accounts/<str:number>/contact-center/"

urlpatterns = [
    path(CENTER, views.contact_center, name="contact_center"),
    path(CENTER + "install/", views.install_page, name="install"),
    path(CENTER + "subscription/", views.subscription, name="subscription"),
    path(CENTER + "subscription/total/", views.new_total, name="new_total"),
    path(CENTER + "subscription/confirm/", views.confirm, name="confirm_subscription"),
    path(CENTER + "users/", views.users, name="users"),
    path(CENTER + "users/add/", views.add_user, name="add_user"),
    path(CENTER + "users/import/", views.import_page, name="import_users"),
    path(CENTER + "users/import/confirm/", views.confirm_import, name="confirm_import"),
    path(CENTER + "phone-numbers/", views.phone_numbers, name="phone_numbers"),
]
