"""Fixtures of the queue, and the customers that a job bills."""

from tests.billing.conftest import customers
from tests.config.queue import empty_queue, start_worker

__all__ = ["customers", "empty_queue", "start_worker"]
