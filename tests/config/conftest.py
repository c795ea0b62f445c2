"""Fixtures for the job queue, and customers that a job bills."""

from tests.billing.conftest import customers
from tests.config.queue import empty_queue, start_worker

__all__ = ["customers", "empty_queue", "start_worker"]
