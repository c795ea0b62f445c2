"""The characters that the fonts of documents have. `python -m tests.billing.documents.coverage` writes the file."""

from collections.abc import Iterable

from fontTools.ttLib import TTFont

from billing.documents.pdf import FONTS

COVERAGE = FONTS / "coverage.txt"


def characters() -> set[int]:
    """Return the code points that every font has."""
    return set.intersection(*(set(TTFont(path).getBestCmap()) for path in FONTS.glob("*.otf")))


def as_ranges(points: Iterable[int]) -> str:
    """Return code points as text, a line for each range."""
    ranges: list[list[int]] = []
    for point in sorted(points):
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "".join(f"{first:04x}\n" if first == last else f"{first:04x}-{last:04x}\n" for first, last in ranges)


if __name__ == "__main__":
    COVERAGE.write_text(as_ranges(characters()))
