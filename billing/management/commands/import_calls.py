"""Import call records from files (R25)."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from accounts.arguments import user_named
from accounts.models import User
from billing.actions import save_mapping
from billing.calls.cells import Unreadable
from billing.calls.importing import import_calls
from billing.calls.mapping import given_by, mapping_of
from billing.calls.mapping_names import check_name
from billing.calls.outcome import Outcome, fates_text, known_text, nothing_text, outcome_of
from billing.calls.rejects import columns_of, rejects_of
from billing.models import CallImport, CallMapping, Layout
from core.arguments import as_text

STANDARD_INPUT = "-"
AUTO = "auto"


class Command(BaseCommand):
    help = (
        "Import call records from CSV files, compressed or not; - reads standard input. A call that is there already "
        "is not taken twice, so a file can be imported again at any time. The exit status is 1 if a row was rejected "
        "or nothing was added from a file with new rows, and 2 if a file can't be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "files", nargs="+", type=as_text, metavar="FILE", help="a file of calls, or - for standard input"
        )
        parser.add_argument(
            "--layout",
            choices=[Layout.OWN, Layout.ASTERISK, AUTO],
            default=AUTO,
            help="the columns; auto recognizes them",
        )
        parser.add_argument(
            "--map",
            type=as_text,
            action="append",
            default=[],
            metavar="WHAT=COLUMN",
            help="which column is what, by its name or number, like call_id=Call ID; what is one of call_id, to, from, "
            "started_at, seconds, leg; answered=Result:Answered says which rows are answered calls",
        )
        parser.add_argument("--save-map", type=as_text, metavar="NAME", help="save the mapping under a name")
        parser.add_argument(
            "--use-map", type=as_text, metavar="NAME", help="use the mapping that was saved under a name"
        )
        parser.add_argument(
            "--zone", type=as_text, metavar="ZONE", help="the zone of times without an offset, like America/New_York"
        )
        parser.add_argument("--rejects", type=Path, metavar="FILE", help="where to write the rejected rows, as CSV")
        parser.add_argument(
            "--take-voided",
            action="store_true",
            help="take rows although their content was voided or dismissed; --by needs the permission to void",
        )
        parser.add_argument("--by", type=as_text, metavar="EMAIL", help="who imports: staff who may import calls")

    def handle(self, *args: Any, **options: Any) -> None:
        names: list[str] = options["files"]
        layout = None if options["layout"] == AUTO else options["layout"]
        by = None if options["by"] is None else user_named(options["by"])
        mapping, zone = _mapping(options, layout)
        path: Path | None = options["rejects"]
        if path and len(names) > 1 and layout is None:
            raise CommandError("With several files, --rejects needs --layout: one file of rejects has one layout.")
        if path and any(name != STANDARD_INPUT and _same(path, Path(name)) for name in names):
            raise CommandError(f"{path} is one of the files to import; write the rejects somewhere else.")
        imports: list[CallImport] = []
        unreadable: list[str] = []
        with ExitStack() as stack:
            rejects = stack.enter_context(_writable(path)) if path else None
            for name in names:
                try:
                    received = self._import(
                        name, layout=layout, mapping=mapping, zone=zone, by=by, take_voided=options["take_voided"]
                    )
                except _Unreadable as why:
                    unreadable.append(str(why))
                    if len(names) > 1:
                        self.stderr.write(str(why))
                    continue
                imports.append(received)
                self.stdout.write(f"{received.name}: {fates_text(received)}.")
            if rejects:
                _write_rejects(rejects, imports, one=len(names) == 1)
            if imports and options["save_map"] and mapping:
                _saved(options["save_map"], mapping, by=by, zone=zone or "")
        if unreadable:
            one = len(unreadable) == 1
            raise CommandError(unreadable[0] if one else f"{len(unreadable)} files could not be read.", returncode=2)
        self._check(imports, path)

    def _check(self, imports: list[CallImport], path: Path | None) -> None:
        """Report what was not a success.

        Raises CommandError, with exit status 1, if a row waits for a person or nothing was added.
        """
        failed = [received for received in imports if outcome_of(received) == Outcome.NOTHING]
        for received in imports:
            if outcome_of(received) == Outcome.KNOWN:
                self.stdout.write(f"{received.name}: nothing is new, {known_text(received)}.")
        problems = [nothing_text(received) for received in failed]
        if len(imports) > 1:
            problems = [f"Nothing was added from {received.name}." for received in failed]
        if aside := sum(received.set_aside for received in imports):
            records = "1 record was" if aside == 1 else f"{aside:,} records were"
            problems.append(f"{records} set aside: take or dismiss them in the admin.")
        rejected = sum(received.rejected for received in imports)
        if rejected:
            where = f" See {path}." if path else " --rejects writes them to a file."
            rows = "1 row was" if rejected == 1 else f"{rejected:,} rows were"
            problems.append(f"{rows} rejected.{where}")
        if problems:
            raise CommandError(" ".join(problems), returncode=1)

    def _import(
        self,
        name: str,
        *,
        layout: str | None,
        mapping: dict[str, str] | None,
        zone: str | None,
        by: User | None,
        take_voided: bool,
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
                    mapping=mapping,
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


class _Unreadable(Exception):
    """A file that can't be read at all, or not to its end."""


@contextmanager
def _opened(name: str) -> Iterator[tuple[IO[bytes], int | None]]:
    """Open a file; yield it with its size in bytes, or None if that is not known."""
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


def _write_rejects(file: IO[str], imports: list[CallImport], *, one: bool) -> None:
    """Write the rejected rows of all imports under one header, which has every column that any of them has."""
    columns = list(dict.fromkeys(column for received in imports for column in columns_of(received)))
    for place, received in enumerate(imports):
        lines = rejects_of(received, prefix="" if one else f"{received.name}: ", columns=columns)
        file.writelines(islice(lines, 1 if place else 0, None))


def _mapping(options: dict[str, Any], layout: str | None) -> tuple[dict[str, str] | None, str | None]:
    """Return the mapping in the options, if any, and the time zone of times without an offset."""
    texts, use, save = options["map"], options["use_map"], options["save_map"]
    zone: str | None = options["zone"]
    if save and not texts:
        raise CommandError("--save-map needs --map: it saves what that says.")
    if texts and use:
        raise CommandError("--map and --use-map are two ways to say the same: use one of them.")
    if layout and (texts or use):
        raise CommandError("A mapping says what the columns are, so --layout can't be given with it.")
    if use:
        saved = CallMapping.objects.filter(name=use.strip()).first()
        if saved is None:
            names = ", ".join(CallMapping.objects.values_list("name", flat=True)[:20]) or "none"
            raise CommandError(f"There is no mapping with the name {use}. Saved mappings: {names}.")
        return saved.columns, zone or saved.zone or None
    if not texts:
        return None, zone
    try:
        given = given_by(texts)
        mapping_of(given)
        if save:
            check_name(save, given, zone=zone or "")
    except Unreadable as why:
        raise CommandError(str(why)) from why
    except ValidationError as refusal:
        raise CommandError(" ".join(refusal.messages)) from refusal
    return given, zone


def _saved(name: str, mapping: dict[str, str], *, by: User | None, zone: str) -> None:
    try:
        save_mapping(name, mapping, by=by, zone=zone)
    except ValidationError as refusal:
        raise CommandError(" ".join(refusal.messages)) from refusal
