"""Looking at a page as its visitors do: in light and dark, on a desk and on a phone, and enlarged to 400 %."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# WCAG 2.2 AA, and what axe's makers hold for good practice besides.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS = [(scheme, width) for scheme in ("light", "dark") for width in (1440, 390)]
AT_400_PERCENT = 320  # what is left of a window of 1280 px


def look(page: Page) -> None:
    """Fail where axe finds something, or the page is wider than its window."""
    report = Axe().run(page, options={"runOnly": RULES})
    assert report.violations_count == 0, f"{page.url}\n{report.generate_report()}"
    assert_fits(page)


def look_everywhere(page: Page) -> None:
    """Look at the page in each of the LOOKS, and see that it fits at 400 %; leave it as it was found."""
    size = page.viewport_size
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        look(page)
    page.set_viewport_size({"width": AT_400_PERCENT, "height": 900})
    assert_fits(page)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(size or {"width": 1440, "height": 900})


def assert_fits(page: Page) -> None:
    """Fail where the page is wider than its window."""
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1], (page.url, widths)


def open_all(page: Page) -> None:
    """Open every amount and everything else that is folded."""
    closed = page.locator("main details:not([open]) > summary")
    while closed.count():
        closed.first.click()
