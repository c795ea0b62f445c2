"""Converts the HTML of an email to plain text, so that each sentence is written only once."""

import re
from html.parser import HTMLParser
from typing import Final

UNSEEN: Final = {"head", "h1"}  # left out: the subject repeats the heading
SPACE: Final = re.compile(r"[ \t\r\n]+")


class _Reader(HTMLParser):
    """Collects the paragraphs of an email of templates/notices, with its lists, tables, quotations and links."""

    def __init__(self) -> None:
        super().__init__()
        self.paragraphs: list[str] = []
        self._text = ""
        self._unseen = 0
        self._classes: list[str] = []
        self._link = ""
        self._quoted = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in UNSEEN or given.get("class") == "brand":
            self._unseen += 1
        elif tag in ("p", "ul", "table", "blockquote"):
            self._end_paragraph()
            self._quoted = tag == "blockquote"
            self._text = "-- \n" if given.get("class") == "foot" else ""
        elif tag == "li":
            self._start_line("- ")
        elif tag == "tr":
            self._start_line("")
        elif tag == "br":
            self._text += "\n"
        elif tag == "a":
            self._link = given.get("href") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag in UNSEEN or (self._unseen and tag == "p"):
            self._unseen -= 1
        elif tag == "th":
            self._text = self._text.rstrip() + ": "
        elif tag == "a":
            self._text = f"{self._text.rstrip()}:\n{self._link}"
        elif tag in ("p", "ul", "table", "blockquote"):
            self._end_paragraph()

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        if self._quoted:  # quoted text keeps its lines, and each <br> ends one
            self._text += data.replace("\n", "")
            return
        text = SPACE.sub(" ", data)
        self._text += text.lstrip(" ") if not self._text or self._text[-1] in " \n" else text

    def _start_line(self, mark: str) -> None:
        self._text = self._text.rstrip()
        self._text += f"\n{mark}" if self._text else mark

    def _end_paragraph(self) -> None:
        if self._text.strip():
            self.paragraphs.append(self._text.strip())
        self._text, self._quoted = "", False


def plain_text(html: str) -> str:
    """Return the text of an email: a blank line between paragraphs, dashes for lists, each URL after its link text."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = "\n\n".join(reader.paragraphs).splitlines()
    kept = [line.rstrip() for line in lines]
    return "\n".join(line for line, before in zip(kept, ["", *kept], strict=False) if line or before) + "\n"
