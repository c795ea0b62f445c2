"""`worker`: does the jobs of the queue until it is told to stop."""

import argparse
import asyncio
import os
import signal
import socket
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from procrastinate import PsycopgConnector
from procrastinate.contrib.django import app, connector_params

from core.guards import missing_migrations


class Command(BaseCommand):
    help = (
        "Do the jobs of the queue until told to stop by SIGTERM or Ctrl+C. Run as many workers as you like, anywhere."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--at-once", type=int, default=2, metavar="N", help="jobs done at once by this worker")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["at_once"] < 1:
            raise CommandError("--at-once must be 1 or more.")
        if missing := missing_migrations("default"):
            raise CommandError(f"{len(missing)} migrations are not applied. Run `manage.py migrate` first.")
        name = f"{socket.gethostname()}:{os.getpid()}"
        self._say(f"Worker {name} does these jobs; stop it with Ctrl+C or SIGTERM.")
        for task in sorted(app.periodic_registry.periodic_tasks.values(), key=lambda task: task.task.name):
            self._say(f"  {task.task.name} ({task.cron})")
        # The worker waits for work on connections of its own; each job runs on one of Django's.
        connection.close()
        with app.replace_connector(PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=4)):
            told = asyncio.run(self._work(name, options["at_once"]))
        if not told:
            raise CommandError("The worker stopped by itself; the lines above say why.")
        self._say("Stopped; no job was left half done.")

    async def _work(self, name: str, at_once: int) -> bool:
        """Work until told to stop; return False where the worker stopped without being told."""
        told = False

        def stop() -> None:
            nonlocal told
            if not told:
                self._say("Told to stop: what runs is finished first.")
            told = True
            work.cancel()

        async with app.open_async():
            work = asyncio.create_task(app.run_worker_async(
                name=name, concurrency=at_once, install_signal_handlers=False
            ))  # fmt: skip
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, stop)
            try:
                await work
            except asyncio.CancelledError:
                if not told:
                    raise
        return told

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
