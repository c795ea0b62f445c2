"""The expected result for each file in tests/call-files, by the command and in the admin. See the README there."""

from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "call-files"
NEW_YORK = "America/New_York"  # the time zone of the files' local times
NUMBER = "+18445550107"


@dataclass(frozen=True)
class Read:
    """The seconds of each call taken, by id; the number of rows that are no call to bill; and reject codes by line."""

    calls: dict[str, int]
    not_calls: int = 0
    rejects: dict[int, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        return 1 if self.rejects or not self.calls else 0


@dataclass(frozen=True)
class Refused:
    """The code of a refusal, and parts of the sentence that says what the file is and what to do."""

    code: str
    words: tuple[str, ...]
    status: int = 2


def _refused(code: str, *words: str) -> Refused:
    return Refused(code, words)


NO_UNIQUE_ID = _refused("no_unique_id", "Asterisk's CSV without uniqueid", "Switch on loguniqueid in cdr.conf")
FREESWITCH = _refused("foreign", "FreeSWITCH's CSV", "call_id=11, to=3, from=2, started_at=5, seconds=9")
EMPTY = _refused("empty_file", "The file is empty.")

EXPECTED: dict[str, Read | Refused] = {
    "a01-asterisk-default-no-uniqueid.csv": NO_UNIQUE_ID,
    "a03-asterisk-userfield-without-uniqueid.csv": NO_UNIQUE_ID,
    "a05-asterisk-ring-group-same-uniqueid-twice.csv": Read({"1795194000.105": 617}, not_calls=2),
    "a07-asterisk-cdr-custom-19.csv": Read({f"179519400{number}.107": 61 for number in range(3)}),
    "a09-asterisk-cdr-custom-float-billsec.csv": Read({"1795194000.109": 62}),
    "a11-asterisk-quote-unescaped-in-clid.csv": Read({}, rejects={1: "bad_csv"}),
    "a13-asterisk-empty-answer.csv": Read({"1795194001.113": 61}, not_calls=1),
    "a15-asterisk-disposition-numbers.csv": _refused("bad_disposition", "Asterisk's CSV, but says “8” instead of"),
    "a17-asterisk-joined-with-banner.csv": Read({"1795194000.117": 61}, not_calls=2),
    "a19-asterisk-ring-group-other-order.csv": Read({"1795194000.119": 617}, not_calls=2),
    "b01-freepbx-export-16.csv": Read({"1795194000.201": 61}),
    "b03-freepbx-calldate-renamed-start.csv": Read({"1795194000.203": 61}),
    "c01-freeswitch-example.csv": FREESWITCH,
    "c03-freeswitch-linksys.csv": FREESWITCH,
    "d01-3cx-v18.csv": _refused("foreign", "3CX's CSV", "call_id=2, to=12"),
    "e02-telnyx.csv": _refused("foreign", "Telnyx's CSV", "call_id=id, to=cld"),
    "e04-zoom-phone.csv": _refused("foreign", "Zoom Phone's CSV", "call_id=Call ID, to=To Number"),
    "f01-cucm.csv": _refused("foreign", "Cisco CUCM's CSV", "call_id=pkid, to=originalCalledPartyNumber"),
    "f03-a2billing.csv": _refused("foreign", "A2Billing's CSV", "It has no id of a call", "call_id=uniqueid"),
    "g02-tabs.csv": Read({"g02": 61}),
    "g04-utf16le-nobom.csv": Read({"g04": 61}),
    "g06-cr-only.csv": Read({"g06a": 61, "g06b": 61}),
    "g08-leading-blank-lines.csv": Read({"g08": 61}, not_calls=2),
    "g10-thousands.csv": Read({"g10c": 1234}, rejects={2: "bad_seconds", 3: "bad_seconds", 5: "bad_seconds"}),
    "g12-times.csv": Read(
        {f"g12{number:02}": 61 for number in (0, 3, 4, 5, 6, 9, 11, 15, 16, 17)},
        rejects={
            **dict.fromkeys((3, 4, 9, 12, 14, 15, 16), "bad_time"),
            10: "extra_columns",  # “Fri, 20 Nov 2026 …” without quotes
        },
    ),
    "g14-tollfree-elsewhere.csv": Read({}, rejects=dict.fromkeys(range(2, 8), "unknown_number")),
    "g16-header-case-order.csv": Read({"g16": 61}),
    "g18-header-spanish.csv": _refused("unknown_layout", "It names id_llamada, a, de", "with a mapping"),
    "g20-duplicate-header.csv": _refused("duplicate_columns", "names the column seconds twice"),
    "g22-quoted-header.csv": Read({"g22": 61}),
    "g24-latin1-caller.csv": Read({"g24a": 61, "g24b": 61}),
    "g26-long-ids.csv": Read({"g26-" + "x" * 96: 61}, rejects={3: "bad_call_id"}),
    "g28-spreadsheet-ids.csv": Read({}, rejects={2: "bad_call_id", 3: "bad_call_id"}),
    "h02-json.csv": _refused("not_calls", "The file is JSON."),
    "h04-zip.csv": Read({"h04": 61}),
    "h06-gz-two-members.csv.gz": Read({"h06a": 61, "h06b": 61}),
    "h08-gz-trailing-garbage.csv.gz": Read({"h08": 61}),
    "h10-empty.csv": EMPTY,
    "h12-bom-only.csv": EMPTY,
    "h14-header-alone.csv": Read({}),
    "h16-bz2.csv": Read({"h16": 61}),
    "h18-pdf.csv": _refused("not_calls", "The file is a PDF."),
    "h20-nul-middle.csv": Read({"h20a": 61, "h20b": 61}, rejects={3: "nul"}),
    "h22-ctrl-z.csv": Read({"h22": 61}, not_calls=1),
}
# Calls that don't start at noon in New York, as all the others in these files do.
STARTS = {
    "g1205": "2026-11-20T12:00:00.123000+00:00",
    "g1211": "2026-11-20T12:00:00+00:00",
    "g1215": "2026-11-20T12:00:00+00:00",
    "g1216": "2026-11-20T12:00:00+00:00",
    "1795194000.119": "2026-11-20T17:00:06+00:00",
    "1795194000.105": "2026-11-20T17:00:06+00:00",
}
NOON = "2026-11-20T17:00:00+00:00"
