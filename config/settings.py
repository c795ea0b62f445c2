"""All settings, read from the environment or from `.env`. `.env.example` lists them with their defaults."""

import os
import tomllib
import zoneinfo
from email.utils import parseaddr
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from config.back_office import unfold_settings
from config.database import database_settings
from config.environment import PROJECT, dates, email_settings, env, listed, site_url, whole_number, yes_or_no
from config.journal import JOURNAL_ACCOUNTS as JOURNAL_ACCOUNTS
from config.logs import logging_settings

VERSION: str = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]

# Days are decided by the time zone rules of the pinned package tzdata, not by those of this machine.
zoneinfo.reset_tzpath(to=())
zoneinfo.ZoneInfo.clear_cache()

DEBUG = yes_or_no("DEBUG")
# Not by env.str, which interprets a value that begins with $ as the name of another variable.
SECRET_KEY = os.environ.get("SECRET_KEY", "")
ALLOWED_HOSTS = listed("ALLOWED_HOSTS")
if DEBUG:
    SECRET_KEY = SECRET_KEY or "for-development-only-a-real-deployment-sets-SECRET_KEY-itself"
    ALLOWED_HOSTS = ALLOWED_HOSTS or ["localhost", "127.0.0.1", "[::1]"]
elif len(SECRET_KEY) < 50:
    raise ImproperlyConfigured(
        "SECRET_KEY must be set to at least 50 random characters when DEBUG is false "
        "(make one with: python -c 'import secrets; print(secrets.token_urlsafe(50))'); "
        "on your own machine, set DEBUG=true instead."
    )
elif not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts that are served, when DEBUG is false.")
if any("/" in host for host in ALLOWED_HOSTS):
    raise ImproperlyConfigured("ALLOWED_HOSTS must name hosts only, like panel.example.com, without https:// or paths.")
CSRF_TRUSTED_ORIGINS = listed("CSRF_TRUSTED_ORIGINS")
if not all(origin.startswith(("https://", "http://")) for origin in CSRF_TRUSTED_ORIGINS):
    raise ImproperlyConfigured("CSRF_TRUSTED_ORIGINS must be origins that begin with https:// or http://.")
BRAND_NAME = env.str("BRAND_NAME")

# Not by env.str, for the same reason as the secret key.
METRICS_TOKEN = os.environ.get("METRICS_TOKEN", "").strip()
METRICS = yes_or_no("METRICS")
if METRICS and len(METRICS_TOKEN) < 20:
    raise ImproperlyConfigured("METRICS_TOKEN must be set to at least 20 random characters when METRICS is true.")
# The folder in which the processes of one server share their counts. prometheus_client reads the variable.
METRICS_FOLDER = env.str("METRICS_FOLDER").strip()
if METRICS and METRICS_FOLDER:
    if not Path(METRICS_FOLDER).is_dir():
        raise ImproperlyConfigured(f"METRICS_FOLDER must be a folder that exists, not {METRICS_FOLDER!r}.")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = METRICS_FOLDER

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_countries",
    "phonenumber_field",
    "simple_history",
    "procrastinate.contrib.django",
    # After django.contrib.auth, since these apps grant its permissions after both have migrated.
    "core",
    "accounts",
    "onboarding",
    "subscriptions",
    "billing",
    "demo",
]

MIDDLEWARE = [
    # First: it answers load balancers, which use HTTP and an IP address, and ask during maintenance too.
    "config.health.HealthPages",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.BrowserRules",
    "accounts.language.BrowserLanguage",
    "config.middleware.Maintenance",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.language.PageLanguage",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "config.middleware.RequestChecks",
    "config.middleware.StaffSecondFactor",
    "accounts.login.form_recovery.FormRecovery",
    "config.busy.BusyPages",
]
if METRICS:
    MIDDLEWARE.insert(1, "config.metrics.Durations")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PROJECT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.branding.branding",
            ],
        },
    }
]

DATABASE_TIMEOUTS_MS = {
    "statement_timeout": whole_number("STATEMENT_TIMEOUT_MS"),
    "lock_timeout": whole_number("LOCK_TIMEOUT_MS"),
}
DATABASES = {
    "default": database_settings(env, debug=DEBUG, timeouts_ms=DATABASE_TIMEOUTS_MS),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# The cache counts attempts for rate limits, so all processes must share it.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "django_cache",
        # With Django's default of 300, a few hundred made-up email addresses would evict the counts of all others.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "accounts.login.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"{BRAND_NAME}: "
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# How often a user or an IP address may try. The 429 page says when to try again. Failures to log in are counted by
# `accounts.login.throttle`; `login_failed` is for the second factor, whose key is the user who knew the password.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "reset_password": "20/m/ip",
    "reset_password_from_key": "20/m/ip",
    "manage_email": "5/h/user",
}

MFA_ADAPTER = "accounts.login.second_factor.SecondFactorAdapter"
MFA_FORMS = {
    "add_webauthn": "accounts.login.second_factor.AddPasskeyForm",
    "edit_webauthn": "accounts.login.second_factor.NamePasskeyForm",
    "authenticate_webauthn": "accounts.login.second_factor.ShowPasskeyForm",
    "reauthenticate_webauthn": "accounts.login.second_factor.ShowPasskeyAgainForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = BRAND_NAME
# Accept the previous and the next code, since a phone's clock may be half a minute off.
MFA_TOTP_TOLERANCE = 1
# The provider enters the addresses, and a change is confirmed by a link, so no address needs to be verified.
MFA_ALLOW_UNVERIFIED_EMAIL = True
STAFF_SECOND_FACTOR = yes_or_no("STAFF_SECOND_FACTOR")
CSRF_FAILURE_VIEW = "accounts.login.form_recovery.csrf_failure"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]  # the same as in `accounts.models.user.Language`
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
FORMAT_MODULE_PATH = "config.formats"
LOCALE_PATHS = [PROJECT / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_THOUSAND_SEPARATOR = False
PHONENUMBER_DEFAULT_REGION = "US"
PHONENUMBER_DB_FORMAT = "E164"

STATIC_URL = "static/"
STATIC_ROOT = PROJECT / "staticfiles"
STATICFILES_DIRS = [PROJECT / "static"]
WHITENOISE_ALLOW_ALL_ORIGINS = False
if not DEBUG:
    security = MIDDLEWARE.index("django.middleware.security.SecurityMiddleware")
    MIDDLEWARE.insert(security + 1, "whitenoise.middleware.WhiteNoiseMiddleware")
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }

globals().update(email_settings())
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL")
if "@" not in parseaddr(DEFAULT_FROM_EMAIL)[1]:
    raise ImproperlyConfigured("DEFAULT_FROM_EMAIL must be an e-mail address, like HostPilot <hostpilot@example.com>.")
EMAIL_TIMEOUT = 10
# Whether mail about logging in is sent by the process that queued it, so that the demo needs no worker for it.
MAIL_WITHOUT_WORKER = yes_or_no("MAIL_WITHOUT_WORKER", default=DEBUG)

HTTPS_ONLY = yes_or_no("HTTPS_ONLY", default=not DEBUG)
SITE_URL = site_url(default="http://localhost:8000" if DEBUG else "", https_only=HTTPS_ONLY)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS_ONLY
SECURE_HSTS_SECONDS = whole_number("HSTS_SECONDS") * HTTPS_ONLY  # 0 without HTTPS
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS_ONLY
if yes_or_no("BEHIND_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1  # rate limits take the visitor's address from the proxy's X-Forwarded-For
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# A page may load our own files only, nothing inline and nothing from another host. See also config/middleware.py.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        **{f"{what}-src": ["'self'"] for what in ("script", "style", "img", "font", "connect")},
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

# History is never reverted. This only hides the button; core/admin/bases.py refuses the request.
SIMPLE_HISTORY_REVERT_DISABLED = True

# While this file exists, all pages answer 503 and show the text in it; see config/middleware.py.
MAINTENANCE_FILE = PROJECT / env.str("MAINTENANCE_FILE")
if MAINTENANCE_FILE.is_dir():  # an empty setting is a folder too: the project's
    raise ImproperlyConfigured("MAINTENANCE_FILE must name a file, like .maintenance, and not a folder.")

LOG_LEVEL = env.str("LOG_LEVEL").upper()
LOGGING = logging_settings(LOG_LEVEL)

# A bill is put on hold if its usage is above this many dollars, and above this many times that of the last invoice.
BILL_HOLD_USAGE_ABOVE = whole_number("BILL_HOLD_USAGE_ABOVE")
BILL_HOLD_USAGE_TIMES = whole_number("BILL_HOLD_USAGE_TIMES")
# Also if its recurring charges are above this many times what they would be at the prices last billed; 0: never.
BILL_HOLD_PRICE_TIMES = whole_number("BILL_HOLD_PRICE_TIMES")
# Also if its total is above this many dollars; 0: never.
BILL_HOLD_TOTAL_ABOVE = whole_number("BILL_HOLD_TOTAL_ABOVE")
# An imported call that is longer is rejected, since most likely it was never hung up; 0: no limit.
CALL_LONGEST_HOURS = whole_number("CALL_LONGEST_HOURS")
# Whether a worker automatically bills accounts for months that were not billed yet, and how many days after the month
# ended in the account's time zone. After that many days, a month that isn't billed is a warning, whoever bills it.
BILL_RUN_BY_ITSELF = yes_or_no("BILL_RUN_BY_ITSELF")
BILL_RUN_AFTER_DAYS = whole_number("BILL_RUN_AFTER_DAYS", most=365)
# After how many hours without an import of calls staff are warned; 0: never. And below what percentage of the usual
# minutes a day is a warning.
CALL_FEED_SILENT_HOURS = whole_number("CALL_FEED_SILENT_HOURS")
CALL_FEED_LOW_PERCENT = whole_number("CALL_FEED_LOW_PERCENT", most=100)

PROCRASTINATE_ON_APP_READY = "core.jobs.noting.ready"
# When a worker starts, it first runs periodic jobs of the last hour that no other worker has run.
PROCRASTINATE_PERIODIC_DEFAULTS = {"max_delay": 3_600}
# After how many minutes without any work by a worker /readyz is not ready; 0: it doesn't check.
JOBS_LATE_MINUTES = whole_number("JOBS_LATE_MINUTES")

# After how many days in onboarding an account is activated automatically; 0: never. See docs/onboarding.md.
ONBOARDING_DEADLINE_DAYS = whole_number("ONBOARDING_DEADLINE_DAYS", most=3_650)
ONBOARDING_BLACKOUT_DATES = dates("ONBOARDING_BLACKOUT_DATES")
ONBOARDING_ACTIVATIONS_A_NIGHT = whole_number("ONBOARDING_ACTIVATIONS_A_NIGHT")
ONBOARDING_ACTIVATIONS_A_DAY = whole_number("ONBOARDING_ACTIVATIONS_A_DAY")

UNFOLD = unfold_settings(brand=BRAND_NAME, version=VERSION)
