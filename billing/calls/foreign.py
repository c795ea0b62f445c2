"""Call files of other systems: how they are recognized, and the mapping with which each can be imported. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)
HANGUP_CAUSE = re.compile(r"[A-Z]+(?:_[A-Z]+)+\Z")
OF_3CX = re.compile(r"[0-9A-F]{16}_[0-9]+\Z")
TEXTS = (
    (re.compile(r"[\[{]"), "The file is JSON. Export the calls as CSV instead."),
    (re.compile(r"<(?:!doctype|html|table|head|body)", re.IGNORECASE),
     "The file is a web page (HTML), perhaps of a login. Export the calls as CSV and look at the file first."),
    (re.compile(r"<"), "The file is XML. Export the calls as CSV instead."),
    (re.compile(r"(?:insert into|create table|copy .* from stdin)\b", re.IGNORECASE),
     "The file is SQL. Export the calls as CSV instead."),
)  # fmt: skip


@dataclass(frozen=True)
class Foreign:
    """A system whose files are recognized by names in their first line; `columns` is the mapping that reads them."""

    system: str
    names: frozenset[str]
    columns: str
    note: str = ""

    @property
    def sentence(self) -> str:
        """What the file is and what to do, for the person who imports it."""
        advice = f"Import it with a mapping of these columns: {self.columns}." if self.columns else ""
        return " ".join(filter(None, [f"This looks like {self.system}'s CSV.", advice, self.note]))


LOCAL = "Name the zone of its times."
BY_NUMBER = "The columns have no names here, so their numbers stand for them."
FREESWITCH = Foreign(
    "FreeSWITCH", frozenset({"hangup_cause", "destination_number"}),
    "call_id=uuid, to=destination_number, from=caller_id_number, started_at=start_stamp, seconds=billsec", LOCAL,
)  # fmt: skip
OF_3CX_BY_NUMBER = Foreign(
    "3CX", frozenset(), "call_id=2, to=12, from=8, started_at=4, seconds=3",
    "Column 12 is the number that was dialed: put the toll-free number (DID) there in the CDR settings. Its times are"
    " UTC.",
)  # fmt: skip
SYSTEMS = (
    Foreign(
        "FusionPBX", frozenset({"xml_cdr_uuid"}),
        "call_id=xml_cdr_uuid, to=caller_destination, from=caller_id_number, started_at=start_epoch, seconds=billsec",
    ),
    FREESWITCH,
    Foreign(
        "Telnyx", frozenset({"cli", "cld", "call_sec"}),
        "call_id=id, to=cld, from=cli, started_at=start_timestamp, seconds=call_sec",
    ),
    Foreign(
        "Zoom Phone", frozenset({"call id", "to number", "call start time"}),
        "call_id=Call ID, to=To Number, from=From Number, started_at=Call Start Time, seconds=Call Duration,"
        " answered=Result:Answered", LOCAL,
    ),
    Foreign(
        "Cisco CUCM", frozenset({"globalcallid_callid", "datetimeorigination"}),
        "call_id=pkid, to=originalCalledPartyNumber, from=callingPartyNumber, started_at=dateTimeOrigination,"
        " seconds=duration",
    ),
    Foreign(
        "A2Billing", frozenset({"callerid", "cardused", "duration"}), "",
        "It has no id of a call, so nothing tells one call from another. Export the table cc_call as CSV and import it"
        " with a mapping of these columns: call_id=uniqueid, to=calledstation, from=src, started_at=starttime,"
        " seconds=sessiontime.",
    ),
    Foreign(
        "Twilio", frozenset({"sid", "to", "start time", "duration"}),
        "call_id=Sid, to=To, from=From, started_at=Start Time, seconds=Duration, answered=Status:completed",
    ),
    Foreign(
        "Twilio", frozenset({"call sid", "to", "start time", "duration"}),
        "call_id=Call Sid, to=To, from=From, started_at=Start Time, seconds=Duration, answered=Status:completed",
    ),
    Foreign(
        "Issabel or Elastix", frozenset({"uniqueid", "source", "destination", "status"}),
        "call_id=UniqueID, to=Destination, from=Source, started_at=Date, seconds=Billing Seconds,"
        " answered=Status:ANSWERED", f"{LOCAL} Add the billed seconds to the export: Duration has the ringing in it.",
    ),
    Foreign(
        "3CX", frozenset({"historyid", "callid", "time-start"}),
        "call_id=callid, to=dial-no, from=from-no, started_at=time-start, seconds=duration",
    ),
)  # fmt: skip


def system_by_names(names: Sequence[str]) -> Foreign | None:
    """Return the system whose files have columns of these names, in lower case, or None."""
    given = set(names)
    return next((system for system in SYSTEMS if system.names <= given), None)


def system_by_row(cells: Sequence[str]) -> Foreign | None:
    """Return the system that writes rows like this one, which has no column names, or None."""
    cells = [cell.strip() for cell in cells]
    causes = [place for place, cell in enumerate(cells, 1) if HANGUP_CAUSE.match(cell)]
    ids = [place for place, cell in enumerate(cells, 1) if UUID.match(cell)]
    if causes and ids:
        return _freeswitch(cells, causes[0], ids[0])
    if len(cells) > 2 and OF_3CX.match(cells[1]):
        return OF_3CX_BY_NUMBER
    return None


def _freeswitch(cells: Sequence[str], cause: int, uuid: int) -> Foreign:
    """Return FreeSWITCH with a mapping by column numbers, as its own templates for CSV have them."""
    billsec, start = cause - 1, cause - 5
    caller = 2
    if start < 1 or not cells[billsec - 1].isdigit() or not cells[start - 1][:4].isdigit():
        return Foreign("FreeSWITCH", frozenset(), FREESWITCH.columns, f"{LOCAL} {BY_NUMBER}")
    columns = f"call_id={uuid}, to=3, from={caller}, started_at={start}, seconds={billsec}"
    return Foreign("FreeSWITCH", frozenset(), columns, f"{LOCAL} {BY_NUMBER}")


def kind_of(line: str) -> str | None:
    """Return a sentence about what a file with this first line is instead of CSV, or None if it may be CSV."""
    return next((sentence for pattern, sentence in TEXTS if pattern.match(line.lstrip())), None)
