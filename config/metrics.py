"""Metrics for Prometheus at /metrics, if METRICS is on and the request has METRICS_TOKEN as its bearer token.

Rows in the database are counted for each request, so that every process gives the same numbers. Durations of requests
are counted by the process that answered them; several processes share theirs in METRICS_FOLDER.
"""

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from accounts.login.mail import EMAIL_KIND as LOGIN
from billing.models import BillOnHold
from core.models import JobState
from core.outbox.models import EmailState
from onboarding.notices.kinds import EMAIL_KIND as NOTICE

# By the URL pattern instead of the URL, because account numbers in a label would make a series for each account.
DURATIONS = Histogram(
    "hostpilot_request_duration_seconds",
    "Time to answer a request, by the pattern of its address",
    ["route", "method", "status"],
    registry=None,
)
METHODS = ("GET", "HEAD", "POST")


class Durations:
    """Measures how long each request took."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = perf_counter()
        response = self.get_response(request)
        route = request.resolver_match.route if request.resolver_match else "none"
        method = request.method if request.method in METHODS else "other"
        DURATIONS.labels(route, method, f"{response.status_code // 100}xx").observe(perf_counter() - started)
        return response


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the metrics; 404 if they are off, 401 without the right token."""
    if not settings.METRICS:
        raise Http404
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"):
        return HttpResponse(
            "The bearer token is missing or wrong.\n", status=401, headers={"WWW-Authenticate": "Bearer"}
        )
    registry = CollectorRegistry()
    registry.register(FromTheDatabase())
    if settings.METRICS_FOLDER:
        MultiProcessCollector(registry, settings.METRICS_FOLDER)
    else:
        registry.register(DURATIONS)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class FromTheDatabase(Collector):
    """Collects the metrics that are counted in the database, by one query for each table."""

    def collect(self) -> Iterator[Metric]:
        [(onboarding, activated)] = _rows(
            "SELECT count(*) FILTER (WHERE activated_at IS NULL), count(activated_at) FROM onboarding_onboarding"
        )
        yield GaugeMetricFamily("hostpilot_accounts_in_onboarding", "Accounts in onboarding", value=onboarding)
        yield CounterMetricFamily("hostpilot_activations", "Accounts that were activated", value=activated)
        yield _by_state(
            "hostpilot_jobs",
            "Jobs in the queue, by state",
            JobState.values,
            _rows("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY status"),
        )
        yield _by_state(
            "hostpilot_notices",
            "Notices by e-mail, by state",
            EmailState.values,
            _rows("SELECT state, count(*) FROM core_outgoingemail WHERE kind = %s GROUP BY state", NOTICE),
        )
        yield _by_state(
            "hostpilot_login_emails",
            "Emails about logging in, by state",
            EmailState.values,
            _rows("SELECT state, count(*) FROM core_outgoingemail WHERE kind = %s GROUP BY state", LOGIN),
        )
        yield from _bill_runs()
        yield from _unbilled()
        silent, low = next(iter(_rows("SELECT silent <> '', low <> '' FROM billing_callfeed")), (False, False))
        yield _by_state(
            "hostpilot_call_feed_warnings",
            "Whether the feed of calls is silent, or a day's minutes are far below the usual ones",
            ["silent", "low"],
            [("silent", int(silent)), ("low", int(low))],
        )


def _bill_runs() -> Iterator[Metric]:
    [(finished, unfinished, latest)] = _rows(
        "SELECT count(finished_at), count(*) FILTER (WHERE finished_at IS NULL), "
        "extract(epoch FROM max(finished_at)) FROM billing_billrun"
    )
    yield _by_state(
        "hostpilot_bill_runs",
        "Bill runs, by whether they came to their end",
        ["finished", "unfinished"],
        [("finished", finished), ("unfinished", unfinished)],
    )
    if latest is None:
        return
    yield GaugeMetricFamily("hostpilot_bill_run_finished_timestamp_seconds", "End of the last bill run", value=latest)
    [(invoices, held, failed)] = _rows(
        "SELECT invoices, held, failed FROM billing_billrun "
        "WHERE finished_at IS NOT NULL ORDER BY finished_at DESC, id DESC LIMIT 1"
    )
    yield _by_state(
        "hostpilot_bill_run_bills",
        "Bills of the last bill run, by what became of them",
        ["invoiced", "held", "failed"],
        [("invoiced", invoices), ("held", held), ("failed", failed)],
    )


def _unbilled() -> Iterator[Metric]:
    [(months, accounts)] = _rows("SELECT count(*), coalesce(sum(accounts), 0) FROM billing_unbilledmonth")
    yield GaugeMetricFamily("hostpilot_unbilled_months", "Ended months some account was not billed for", value=months)
    yield GaugeMetricFamily(
        "hostpilot_unbilled_account_months", "Accounts not billed, once for each of those months", value=accounts
    )
    rejected = BillOnHold.objects.rejected_and_unbilled().count()
    yield GaugeMetricFamily("hostpilot_rejected_bills", "Bills rejected and not billed since", value=rejected)


def _by_state(name: str, words: str, states: list[str], counted: list[tuple[str, int]]) -> Metric:
    """Return a gauge with a value for each state, even if it is 0: a series that comes and goes can't be monitored."""
    family = GaugeMetricFamily(name, words, labels=["state"])
    for state, count in {**dict.fromkeys(states, 0), **dict(counted)}.items():
        family.add_metric([state], count)
    return family


def _rows(statement: str, *params: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        fetched: list[tuple[Any, ...]] = cursor.fetchall()
        return fetched
