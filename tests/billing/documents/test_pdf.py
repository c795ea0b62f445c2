"""Documents as PDF files: archivable, accessible, the same on every server, and able to print any text."""

import json
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops
from pypdf import PdfReader

from billing.documents.metadata import with_metadata
from billing.documents.pdf import FONTS, TEMPLATES, _covered, pdf_of, pictures_of, printable
from billing.documents.presentation import TEMPLATE
from tests.billing.documents.coverage import COVERAGE, as_ranges, characters
from tests.billing.documents.examples import printed
from tests.billing.documents.papers import KEPT, line, paper
from tests.billing.papers import written_in

VERSIONS = sorted(path.name for path in TEMPLATES.iterdir())


def read(content: bytes) -> PdfReader:
    return PdfReader(BytesIO(content))


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_of_the_templates_prints_the_same_text_and_picture(version: str) -> None:
    texts = json.loads((KEPT / f"{version}.json").read_text())
    assert written_in(pdf_of(texts)) == (KEPT / f"{version}.txt").read_text().strip()
    [page] = pictures_of(texts)
    kept = Image.open(KEPT / f"{version}.png").convert("RGB")
    difference = ImageChops.difference(kept, Image.open(BytesIO(page)).convert("RGB"))
    assert max(high for _, high in difference.getextrema()) < 32


@pytest.mark.parametrize("version", VERSIONS)
def test_stored_documents_of_each_version_say_the_same(version: str) -> None:
    """If this fails, issued documents would change. Add a version of the templates instead."""
    assert list(printed(int(version))) == json.loads((KEPT / f"{version}.printed.json").read_text())


def test_documents_are_issued_with_the_newest_version() -> None:
    assert max(map(int, VERSIONS)) == TEMPLATE


def test_a_version_there_never_was_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="Version 99 of the templates"):
        pdf_of(paper(template=99))


def test_it_is_archivable_and_accessible() -> None:
    document = read(pdf_of(paper()))
    root: Any = document.trailer["/Root"]
    about = root["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in about
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in about
    assert "<pdfuaid:part>1</pdfuaid:part>" in about
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    [intent] = root["/OutputIntents"]
    assert intent.get_object()["/S"] == "/GTS_PDFA1"
    assert document.metadata is not None
    assert (document.metadata.title, document.metadata.author) == ("Invoice INV-000123", "Example Telecom, Inc.")
    assert "2026-11-01" in about


def test_headings_and_the_cells_of_the_table_are_tagged() -> None:
    root: Any = read(pdf_of(paper())).trailer["/Root"]
    tags = list(tags_in(root["/StructTreeRoot"]))
    assert tags.count("/H1") == 1
    assert tags.count("/H2") == 4  # two parties, two notes
    assert tags.count("/Table") == 1
    assert (tags.count("/TH"), tags.count("/TD")) == (3, 11)  # three lines and the total


def tags_in(element: Any) -> Any:
    """Yield the tags of a tree of structure elements."""
    element = element.get_object()
    if isinstance(element, list):
        for inner in element:
            yield from tags_in(inner)
    elif isinstance(element, dict):
        if "/S" in element:
            yield element["/S"]
        if "/K" in element:
            yield from tags_in(element["/K"])


def test_the_invoice_for_machines_is_attached_unchanged() -> None:
    content = '<?xml version="1.0" encoding="UTF-8"?>\n<rsm:Invoice>Ünïcode & more</rsm:Invoice>'.encode()
    document = read(pdf_of(paper(), attachment=content))
    assert document.attachments == {"factur-x.xml": [content]}
    root: Any = document.trailer["/Root"]
    [attached] = root["/AF"]
    assert attached.get_object()["/AFRelationship"] == "/Alternative"
    about = root["/Metadata"].get_object().get_data().decode()
    assert "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>" in about
    assert "<fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>" in about
    assert about.count("<pdfaSchema:prefix>fx</pdfaSchema:prefix>") == 1
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in about
    assert read(pdf_of(paper())).attachments == {}


def test_metadata_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="writes PDF files in another form"):
        with_metadata(pdf_of(paper()).replace(b"<pdfaExtension:schemas>", b"<pdfaExtension:others>"))


def test_the_same_texts_give_the_same_bytes() -> None:
    assert pdf_of(paper()) == pdf_of(paper())
    assert pdf_of(paper()) != pdf_of(paper(number="INV-000124"))


def test_all_fonts_are_in_the_file_and_nothing_is_the_systems() -> None:
    document = read(pdf_of(paper()))
    fonts: Any = [font.get_object() for page in document.pages for font in page["/Resources"]["/Font"].values()]
    names = {font["/BaseFont"].split("+")[1].removesuffix("-Identity-H") for font in fonts}
    assert names == {"Inter-Regular", "Inter-SemiBold"}
    for font in fonts:
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & descriptor.keys()


def test_three_hundred_lines_repeat_the_header_on_each_page() -> None:
    document = read(pdf_of(paper(lines=[line(f"Item {number:03d}") for number in range(300)])))
    pages = [" ".join(page.extract_text().split()) for page in document.pages]
    assert len(pages) > 5
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert "Item" not in page or "Description Period Amount (USD)" in page
    text = " ".join(pages)
    assert [f"Item {number:03d}" in text for number in range(300)] == [True] * 300
    assert "Total (USD, excluding taxes)" in pages[-1]


def test_a_long_word_breaks_and_leaves_the_amount_alone() -> None:
    [page] = pictures_of(paper(lines=[line("W" * 200, how="x" * 300)]))
    [narrow] = pictures_of(paper(lines=[line("W")]))
    # The right column looks the same: the amount is where it is beside a short word.
    assert column_of_amounts(page) == column_of_amounts(narrow)
    written = written_in(pdf_of(paper(lines=[line("W" * 200)]))).replace("\u200b", "").replace(" ", "")
    assert "W" * 200 in written


def column_of_amounts(page: bytes) -> bytes:
    """Return the pixels of the first line's amount."""
    picture = Image.open(BytesIO(page)).convert("L")
    return picture.crop((480, 308, 612, 324)).tobytes()


@pytest.mark.parametrize(
    "text",
    ["Señor Ñandú, Año 2026", "Καλημέρα Αθήνα", "Привет, Москва", "Łódź Žižkov Győr", "Straße “quoted” – dash…"],
)
def test_latin_greek_and_cyrillic_are_printed(text: str) -> None:
    assert text in written_in(pdf_of(paper(lines=[line(text)])))


@pytest.mark.parametrize("text", ["日本語", "שלום", "مرحبا", "नमस्ते", "🎉"])
def test_other_scripts_are_printed_as_boxes(text: str) -> None:
    assert set(printable(text)) == {"□"}
    assert "□" in written_in(pdf_of(paper(lines=[line(text)])))


@pytest.mark.parametrize(
    "text", ["$x$ #set *bold* _i_ \\ `code` @ref <tag> // comment /* */ ~ = - + [a](b) \"'", "#{1}"]
)
def test_markup_is_printed_as_it_is_written(text: str) -> None:
    assert text in written_in(pdf_of(paper(notes=[{"title": "Markup", "text": text}])))


@settings(deadline=None)  # the first document takes as long as a hundred later ones
@given(st.text(max_size=60))
def test_no_text_is_too_odd_to_be_printed(text: str) -> None:
    content = pdf_of(paper(lines=[line(text)], brand=text or "x"))
    assert content.startswith(b"%PDF")


@pytest.mark.parametrize(
    "text", ["\ud800", "\0", "\u202e" * 5, "e\u0301" * 20, "\u200b", "\ufeff", "\U0010ffff", "\ue0a5"]
)
def test_odd_characters_are_printed_or_left_out(text: str) -> None:
    assert pdf_of(paper(lines=[line(text)])).startswith(b"%PDF")


def test_every_character_of_the_fonts_is_printed() -> None:
    """Those that PDF/UA doesn't allow are not among them."""
    covered = sorted(_covered())
    assert len(covered) > 2_000
    lines = [line("".join(covered[place : place + 60])) for place in range(0, len(covered), 60)]
    assert pdf_of(paper(lines=lines)).startswith(b"%PDF")


@pytest.mark.parametrize("lines", [1, 3], ids=["a credit note", "an invoice"])
def test_long_texts_continue_on_the_next_page_with_the_total_after_them(lines: int) -> None:
    reason = "\n".join(f"March {number}: down" for number in range(120))
    instructions = "\n".join(f"Bank {number}" for number in range(90))
    rows = [line(f"Item {number}") for number in range(lines - 1)] + [line("Last", how=reason)]
    notes = [{"title": "How to pay", "text": instructions}]
    document = read(pdf_of(paper(lines=rows, notes=notes)))
    places = [place for page in document.pages for place in text_places(page)]
    written = "\n".join(page.extract_text() for page in document.pages)
    for said in ("March 119: down", "Total (USD", "Bank 89"):
        assert said in written
    assert min(y for y, _ in places) >= LOWEST


LOWEST = 40  # points above the lower edge: the line with the number of the page


def text_places(page: Any) -> list[tuple[float, str]]:
    """Return the height on the page and the text of each piece of text."""
    found: list[tuple[float, str]] = []
    page.extract_text(
        visitor_text=lambda text, cm, tm, *_: text.strip() and found.append((float(tm[5] * cm[3] + cm[5]), text))
    )
    return found


def test_many_threads_print_at_once() -> None:
    papers = [paper(number=f"INV-{number:06d}") for number in range(24)]
    with ThreadPoolExecutor(8) as threads:
        printed = list(threads.map(pdf_of, papers))
    assert [f"INV-{number:06d}" in written_in(content) for number, content in enumerate(printed)] == [True] * 24


def test_the_list_of_characters_is_that_of_the_fonts() -> None:
    assert COVERAGE.read_text() == as_ranges(characters())


def test_the_fonts_have_their_license_beside_them() -> None:
    assert "SIL OPEN FONT LICENSE" in Path(FONTS / "OFL.txt").read_text().upper()


@pytest.mark.parametrize("count", range(7, 19))
def test_the_total_never_stands_alone_on_a_page(count: int) -> None:
    document = read(pdf_of(paper(lines=[line(f"Item {number:03d}") for number in range(count)])))
    [page] = [text for text in (page.extract_text() for page in document.pages) if "Total (USD" in text]
    assert f"Item {count - 1:03d}" in page


def test_an_email_address_is_copied_as_it_is() -> None:
    address = "accounts.receivable@subsidiary.example.com"
    assert address in written_in(pdf_of(paper(notes=[{"title": "Questions?", "text": address}])))


def test_a_process_that_was_forked_too_late_says_so() -> None:
    pdf_of(paper())
    with ProcessPoolExecutor(1, get_context("fork")) as child, pytest.raises(RuntimeError, match="forked after"):
        child.submit(pdf_of, paper()).result(timeout=30)
