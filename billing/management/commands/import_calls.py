"""Import call records from files (R25)."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from accounts.models import User
from billing.calls.importing import import_calls
from billing.calls.rejects import rejects_of
from billing.models import CallImport, Layout

STANDARD_INPUT = "-"
AUTO = "auto"


class Command(BaseCommand):
    help = (
        "Import call records from CSV files, gzipped or not; - reads standard input. A call that is there already is "
        "not taken twice, so a file can be imported again at any time. The exit status is 1 when a row was rejected, "
        "and 2 when a file can't be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="a file of calls, or - for standard input")
        parser.add_argument(
            "--layout", choices=[*Layout.values, AUTO], default=AUTO, help="the columns; told by the first line if auto"
        )
        parser.add_argument("--zone", metavar="ZONE", help="the time zone of Asterisk's times, like America/New_York")
        parser.add_argument("--rejects", type=Path, metavar="FILE", help="where to write the rejected rows, as CSV")
        parser.add_argument(
            "--take-voided",
            action="store_true",
            help="take rows although their content was voided or dismissed; --by needs the permission to void",
        )
        parser.add_argument("--by", metavar="EMAIL", help="who imports: staff who may import calls")

    def handle(self, *args: Any, **options: Any) -> None:
        names: list[str] = options["files"]
        layout = None if options["layout"] == AUTO else options["layout"]
        by = _user(options["by"])
        path: Path | None = options["rejects"]
        if path and len(names) > 1 and layout is None:
            raise CommandError("With several files, --rejects needs --layout: one file of rejects has one layout.")
        if path and any(name != STANDARD_INPUT and _same(path, Path(name)) for name in names):
            raise CommandError(f"{path} is one of the files to import; write the rejects somewhere else.")
        rejected = 0
        unreadable: list[str] = []
        with ExitStack() as stack:
            rejects = stack.enter_context(_writable(path)) if path else None
            for name in names:
                try:
                    received = self._import(
                        name, layout=layout, zone=options["zone"], by=by, take_voided=options["take_voided"]
                    )
                except _Unreadable as why:
                    unreadable.append(str(why))
                    if len(names) > 1:
                        self.stderr.write(str(why))
                    continue
                rejected += received.rejected
                self._summarise(received)
                if rejects:
                    lines = rejects_of(received, prefix=f"{received.name}: " if len(names) > 1 else "")
                    rejects.writelines(_without_header(lines) if rejects.tell() else lines)
        if unreadable:
            one = len(unreadable) == 1
            raise CommandError(unreadable[0] if one else f"{len(unreadable)} files could not be read.", returncode=2)
        if rejected:
            where = f" See {path}." if path else " --rejects writes them to a file."
            rows = "1 row was" if rejected == 1 else f"{rejected:,} rows were"
            raise CommandError(f"{rows} rejected.{where}", returncode=1)

    def _import(
        self, name: str, *, layout: str | None, zone: str | None, by: User | None, take_voided: bool
    ) -> CallImport:
        """Import one file, with a progress bar on a terminal."""
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        console = Console(file=self.stderr._out)  # type: ignore[arg-type]
        try:
            with (
                _opened(name) as (stream, size),
                Progress(*columns, console=console, disable=not self.stderr.isatty(), transient=True) as progress,
            ):
                bar = progress.add_task(Path(name).name, total=size)
                return import_calls(
                    stream,
                    name="standard input" if name == STANDARD_INPUT else Path(name).name,
                    layout=layout,
                    zone=zone,
                    by=by,
                    take_voided=take_voided,
                    progress=lambda count: progress.update(bar, completed=count),
                    written=lambda done, parts: progress.update(bar, completed=done, total=parts),
                )
        except OSError as error:
            raise _Unreadable(f"The file {name} can't be read: {error.strerror}.") from error
        except ValidationError as refusal:
            raise _Unreadable(f"{name}: {' '.join(refusal.messages)}") from refusal
        except PermissionDenied as denial:
            raise CommandError(str(denial)) from denial

    def _summarise(self, received: CallImport) -> None:
        counts = [
            (received.added, "added"),
            (received.unmatched, "of them unmatched"),
            (received.repeated, "there already"),
            (received.not_answered, "not answered"),
            (received.rejected, "rejected"),
        ]
        more = [
            (received.zero, "with 0 seconds"),
            (received.set_aside, "set aside"),
            (received.voided, "voided before"),
            (received.not_a_call, "not a call"),
        ]
        counts += [(count, what) for count, what in more if count]
        told = ", ".join(f"{count:,} {what}" for count, what in counts)
        self.stdout.write(f"{received.name}: {told}. {received.rows_read:,} rows read.")


class _Unreadable(Exception):
    """A file that can't be read, or not to its end."""


@contextmanager
def _opened(name: str) -> Iterator[tuple[IO[bytes], int | None]]:
    """Open a file, and say how many bytes it has where that is known."""
    if name == STANDARD_INPUT:
        yield sys.stdin.buffer, None
        return
    with Path(name).open("rb") as stream:
        yield stream, os.fstat(stream.fileno()).st_size or None


def _writable(path: Path) -> IO[str]:
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(f"The rejects can't be written to {path}: {error.strerror}.") from error


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _without_header(lines: Iterator[str]) -> Iterator[str]:
    next(lines)
    return lines


def _user(email: str | None) -> User | None:
    if email is None:
        return None
    by = User.objects.filter(email=email.strip().lower()).first()
    if by is None:
        raise CommandError(f"There is no user with the e-mail address {email}.")
    return by
