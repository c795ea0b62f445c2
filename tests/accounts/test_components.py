"""The components of HostPilot's pages, and that none of its templates has inline styles or scripts."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template import Context, Template

TEMPLATES = Path(settings.PROJECT) / "templates"
# Our pages only. The admin's pages are Unfold's, and emails need inline styles.
OURS = sorted(
    path for path in TEMPLATES.rglob("*.html") if path.relative_to(TEMPLATES).parts[0] not in ("admin", "notices")
)
STYLESHEET = Path(settings.PROJECT) / "static" / "hostpilot" / "hostpilot.css"


def rendered(source: str, **values: object) -> str:
    text = Template("{% load components %}" + source).render(Context(values))
    return " ".join(text.split())


def test_a_card_shows_its_slots_around_its_content() -> None:
    shown = rendered(
        '{% card "held" %}{% slot "title" %}What {{ who }} holds{% endslot %}'
        '{% slot "aside" %}<a href="/">Change</a>{% endslot %}<p>{{ who }}</p>'
        '{% slot "foot" %}Without taxes.{% endslot %}{% endcard %}',
        who="<b>Ann</b>",
    )
    assert shown == (
        '<section class="card" aria-labelledby="held"> '
        '<header><h2 id="held">What &lt;b&gt;Ann&lt;/b&gt; holds</h2>'
        '<div class="row"><a href="/">Change</a></div></header> '
        '<div class="body"><p>&lt;b&gt;Ann&lt;/b&gt;</p></div> '
        '<footer class="soft small">Without taxes.</footer> </section>'
    )


def test_a_card_does_not_show_the_slots_of_the_one_before() -> None:
    shown = rendered(
        '{% card "a" %}{% slot "title" %}A{% endslot %}{% slot "foot" %}Foot{% endslot %}{% endcard %}'
        '{% card "b" flush=True %}{% slot "title" %}B{% endslot %}'
        '{% note "warn" role="alert" %}N{% endnote %}{% endcard %}'
    )
    second = shown[shown.index('id="b"') :]
    assert "B</h2>" in second
    assert "Foot" not in second
    assert '<div class="note warn" role="alert">N</div>' in second
    assert 'class="body"' not in second


def test_a_confirmation_carries_its_token_and_the_visitors() -> None:
    shown = rendered(
        '{% confirmation "/confirm/" token %}{% slot "title" %}Sure?{% endslot %}{% slot "confirm" %}Do it{% endslot %}'
        "<p>25 seats</p>{% endconfirmation %}",
        token='"><b>',
        csrf_token="secret",
    )
    assert 'method="post" action="/confirm/"' in shown
    assert 'name="csrfmiddlewaretoken" value="secret"' in shown
    assert 'name="token" value="&quot;&gt;&lt;b&gt;"' in shown
    assert re.search(r'name="back" value="1">Back</button> <button class="button main">Do it', shown)


def test_an_empty_state_and_a_table() -> None:
    assert rendered('{% empty_state "None yet" level=3 %}<p>Later.</p>{% endempty_state %}') == (
        '<div class="empty"> <h3>None yet</h3> <p>Later.</p> </div>'
    )
    shown = rendered('{% data_table "Invoices" kind="lines" %}<tbody></tbody>{% enddata_table %}')
    assert 'role="region" aria-label="Invoices" tabindex="0"' in shown, "who has no mouse scrolls it by its focus"
    assert '<table class="stack lines">' in shown


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_template_has_a_style_or_a_script_of_its_own(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    assert not re.search(r"(src|href)=\"(https?:)?//", text), "nothing comes from another host"


def test_each_icon_that_is_named_is_there() -> None:
    there = set(re.findall(r'id="([a-z]+)"', Path(finders.find("hostpilot/icons.svg")).read_text()))
    text = "".join(path.read_text(encoding="utf-8") for path in OURS)
    named = set(re.findall(r'{% icon "([a-z]+)" %}', text)) | set(re.findall(r'symbol="([a-z]+)"', text))
    assert named
    assert named <= there


def test_colours_are_tokens_that_each_browser_knows() -> None:
    css = re.sub(r"/\*.*?\*/", "", STYLESHEET.read_text(encoding="utf-8"), flags=re.S)
    assert "light-dark(" not in css
    light, dark = (
        set(re.findall(r"(--[a-z-]+):", part)) for part in css.split("@media (prefers-color-scheme: dark)", 1)
    )
    assert {name for name in light if name != "--bar-ink"} <= dark
    used = set(re.findall(r"var\((--[a-z-]+[0-9]?)\)", css))
    assert used <= set(re.findall(r"(--[a-z-]+[0-9]?):", css))
    rules = css[css.index("*, *::before") :].split(";")  # everything after the tokens
    literal = {rule.strip() for rule in rules if re.search(r"#[0-9a-f]{3,8}\b", rule)}
    # The focus ring in the bar, which is dark in both themes, and the white that scanners need around QR codes.
    assert {rule.split()[-1] for rule in literal} == {"#9fd0ff", "#ffffff"}, literal
