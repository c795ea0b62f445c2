"""The page of pictures shows exactly those that `make pictures` takes, and their total size is limited."""

import re

from tests.pictures import FOLDER, PICTURES, file_of

MOST_BYTES = 2_000_000


def test_each_picture_is_there_and_shown() -> None:
    taken = {file_of(picture) for picture in PICTURES}
    page = FOLDER.with_suffix(".md")
    shown = [page.parent / path for path in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text(encoding="utf-8"))]
    assert set(shown) == set(FOLDER.iterdir()) == taken
    assert len(shown) == len(taken)


def test_the_pictures_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES
