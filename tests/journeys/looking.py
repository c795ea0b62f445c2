"""Checks pages for accessibility: in light and dark mode, on a desktop and a phone, and zoomed to 400%."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# WCAG 2.2 AA, and axe's own best practices.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS = [(scheme, width) for scheme in ("light", "dark") for width in (1440, 390)]
AT_400_PERCENT = 320  # the width of a 1280 px window at that zoom


def look(page: Page) -> None:
    """Fail if axe finds a violation, or if the page is wider than its window."""
    report = Axe().run(page, options={"runOnly": RULES})
    assert report.violations_count == 0, f"{page.url}\n{report.generate_report()}"
    assert_fits(page)


def look_everywhere(page: Page) -> None:
    """Check the page in each of LOOKS, and that it fits at 400%. Then restore the window's size, in light mode."""
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
    """Fail if the page is wider than its window."""
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1], (page.url, widths)


def open_all(page: Page) -> None:
    """Expand every amount and everything else that is collapsed."""
    closed = page.locator("main details:not([open]) > summary")
    while closed.count():
        closed.first.click()
