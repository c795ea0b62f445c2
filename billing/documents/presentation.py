"""What documents show besides facts of their own: brand, sentences, names of items, and the template's version.

It is kept in the database with the first document that is issued with it (`Presentation`), and later ones refer to it.
"""

import json
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Any, TypedDict

from django.conf import settings
from django.utils.translation import override
from django_countries import countries

from accounts.models.user import Language
from billing.models import Presentation
from billing.wording import Sentences, Texts, sentences_in
from subscriptions.models import Item

TEMPLATE = 1  # the newest version of the templates; see `billing/documents/templates`


class Content(TypedDict):
    """The content of a presentation. `items` has kind, and name in each language, by SKU.

    `texts` and `countries` have sentences, and names of countries by their codes, in each language.
    """

    template: int
    brand: str
    texts: Mapping[str, Texts]
    countries: Mapping[str, Mapping[str, str]]
    items: Mapping[str, Mapping[str, str]]


def content_today() -> Content:
    """Return what a document shows if it is issued now. An item without a Spanish name has its English one. One query.

    The names of items are read from the database, all else is in memory.
    """
    items = Item.objects.order_by("sku").values_list("sku", "kind", "name", "name_es")
    return {
        "template": TEMPLATE,
        "brand": settings.BRAND_NAME,
        "texts": {language: sentences_in(language).texts for language in Language.values},
        "countries": {language: _countries_in(language) for language in Language.values},
        "items": {
            sku: {"kind": kind, Language.ENGLISH.value: name, Language.SPANISH.value: name_es or name}
            for sku, kind, name, name_es in items
        },
    }


@cache
def _countries_in(language: str) -> dict[str, str]:
    with override(language):
        return {code: str(name) for code, name in countries}


def digest_of(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a presentation's content, in hexadecimal digits."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def presentation_today() -> Presentation:
    """Return the stored presentation for documents that are issued now, and add it if there is none. Two queries."""
    content = content_today()
    digest = digest_of(content)
    if found := Presentation.objects.filter(digest=digest).first():
        return found
    # Another process may add the same one in this moment; then this does nothing.
    Presentation.objects.bulk_create([Presentation(content=content, digest=digest)], ignore_conflicts=True)
    return Presentation.objects.get(digest=digest)


def sentences_of(presentation: Presentation, language: str) -> Sentences:
    """Return the sentences that a presentation has for a language."""
    return Sentences(language, presentation.content["texts"][language])


def items_of(presentation: Presentation, language: str) -> dict[str, tuple[str, str]]:
    """Return name and kind of each item by SKU, as a presentation has them for a language."""
    return {sku: (item[language], item["kind"]) for sku, item in presentation.content["items"].items()}
