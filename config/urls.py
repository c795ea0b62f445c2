"""All URLs of the site: customers' pages, login, and the provider's admin."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from config.metrics import metrics

# Customers and staff share one login. This must be set before `admin.site.urls` is read.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

# What staff may have bookmarked, and where it is now.
MOVED_IN_THE_ADMIN = {"billing/heldbill": "billing/billonhold", "config/job": "core/job"}

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("onboarding.urls")),
    path("", include("subscriptions.urls")),
    path("", include("billing.urls")),
    path("", include("accounts.login.urls")),
    *(
        re_path(
            rf"^admin/{before}/(?P<rest>.*)$", RedirectView.as_view(url=f"/admin/{now}/%(rest)s", query_string=True)
        )
        for before, now in MOVED_IN_THE_ADMIN.items()
    ),
    # One place to change one's password: it counts attempts, and sends an email about the change.
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("admin/", admin.site.urls),
    path("metrics", metrics, name="metrics"),
]

# For 403, Django's view shows our template.
handler400 = "config.errors.bad_request"
handler404 = "config.errors.not_found"
handler429 = "config.errors.too_many_requests"
handler500 = "config.errors.server_error"
