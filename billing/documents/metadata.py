"""Tells readers of a PDF that it contains the invoice for machines: the metadata (XMP) that Factur-X requires.

Typst writes no metadata but its own. So these are appended as an incremental update, which leaves every byte before it
as it is. pypdf can do the same, but takes longer than Typst takes for the whole document
(docs/decisions/0022-invoices-for-machines.md).
"""

import re
from typing import Final

URI: Final = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
VALUES: Final = {
    "DocumentType": "INVOICE",  # of credit notes as well
    "DocumentFileName": "factur-x.xml",
    "Version": "1.0",
    "ConformanceLevel": "EN 16931",
}
# PDF/A requires a description of each property that isn't of its own.
PROPERTIES: Final = "".join(
    f'<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{name}</pdfaProperty:name>'
    "<pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category>"
    f"<pdfaProperty:description>{name} of the embedded XML file</pdfaProperty:description></rdf:li>"
    for name in VALUES
)
SCHEMA: Final = (
    '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>'
    f"<pdfaSchema:namespaceURI>{URI}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
    f"<pdfaSchema:property><rdf:Seq>{PROPERTIES}</rdf:Seq></pdfaSchema:property></rdf:li>"
).encode()
DESCRIPTION: Final = (
    f'<rdf:Description rdf:about="" xmlns:fx="{URI}">'
    + "".join(f"<fx:{name}>{value}</fx:{name}>" for name, value in VALUES.items())
    + "</rdf:Description>"
).encode()

SCHEMAS: Final = b"<pdfaExtension:schemas><rdf:Bag>"
END: Final = b"</rdf:RDF>"
METADATA: Final = re.compile(
    rb"\n(?P<number>\d+) 0 obj\n<</Length \d+/Type/Metadata/Subtype/XML>>\nstream\n(?P<xmp>.*?)\nendstream", re.DOTALL
)
TRAILER: Final = re.compile(rb"\ntrailer\n<<(?P<trailer>.*?)>>\nstartxref\n(?P<table>\d+)\n%%EOF\s*\Z", re.DOTALL)


def with_metadata(pdf: bytes) -> bytes:
    """Return a PDF of Typst, whose attachment is `factur-x.xml`, with the metadata of Factur-X.

    Raises ValueError if Typst has written it in another form than expected.
    """
    metadata, trailer = METADATA.search(pdf), TRAILER.search(pdf)
    if not metadata or not trailer or metadata["xmp"].count(SCHEMAS) != 1 or metadata["xmp"].count(END) != 1:
        raise ValueError("This version of Typst writes PDF files in another form. See billing/documents/metadata.py.")
    xmp = metadata["xmp"].replace(SCHEMAS, SCHEMAS + SCHEMA).replace(END, DESCRIPTION + END)
    number, place = int(metadata["number"]), len(pdf) + 1
    entry = b"%d 0 obj\n<</Length %d/Type/Metadata/Subtype/XML>>\nstream\n%b\nendstream\nendobj\n"
    update = b"\n" + entry % (number, len(xmp), xmp)
    # Some readers expect object 0, the head of the list of free objects, in each table.
    table = b"xref\n0 1\n0000000000 65535 f\r\n%d 1\n%010d 00000 n\r\ntrailer\n<<%b/Prev %b>>\nstartxref\n%d\n%%%%EOF\n"
    return pdf + update + table % (number, place, trailer["trailer"], trailer["table"], len(pdf) + len(update))
