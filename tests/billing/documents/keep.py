"""Keeps what the newest templates print now: examples as text, and one of them as a picture too.

Run `manage.py shell -c "from tests.billing.documents.keep import keep; keep()"` in the demo's database, and only for
a new version of the templates: those of issued documents must stay as they are.
"""

import json

from billing.documents.pdf import pdf_of, pictures_of
from billing.documents.presentation import TEMPLATE, content_today
from tests.billing.documents.examples import printed
from tests.billing.documents.papers import KEPT
from tests.billing.papers import written_in


def keep() -> None:
    """Write the files of the newest version again."""
    content = json.dumps(content_today(), ensure_ascii=False, sort_keys=True, indent=1)
    (KEPT / f"{TEMPLATE}.presentation.json").write_text(f"{content}\n")
    said = json.dumps(list(printed(TEMPLATE)), ensure_ascii=False, indent=1)
    (KEPT / f"{TEMPLATE}.printed.json").write_text(f"{said}\n")
    texts = json.loads((KEPT / f"{TEMPLATE}.json").read_text())
    (KEPT / f"{TEMPLATE}.txt").write_text(written_in(pdf_of(texts)) + "\n")
    [picture] = pictures_of(texts)
    (KEPT / f"{TEMPLATE}.png").write_bytes(picture)
