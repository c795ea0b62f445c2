"""`python -m tests.billing.documents.keep` prints the kept example of the newest templates again, as text and picture.

Do that only for a new version of the templates: those of issued documents must stay as they are.
"""

import json

from billing.documents.pdf import pdf_of, pictures_of
from billing.documents.presentation import TEMPLATE
from tests.billing.documents.papers import KEPT
from tests.billing.papers import written_in

if __name__ == "__main__":
    texts = json.loads((KEPT / f"{TEMPLATE}.json").read_text())
    (KEPT / f"{TEMPLATE}.txt").write_text(written_in(pdf_of(texts)) + "\n")
    [picture] = pictures_of(texts)
    (KEPT / f"{TEMPLATE}.png").write_bytes(picture)
