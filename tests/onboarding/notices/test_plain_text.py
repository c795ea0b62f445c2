"""The plain text of an email says the same as its HTML, in the same order."""

from onboarding.notices.plain_text import plain_text


def test_each_part_of_a_page_has_its_form_in_text() -> None:
    assert (
        plain_text(
            """<html><head><title>Subject</title><style>p { margin: 0; }</style></head><body>
            <p class="brand">HostPilot</p><h1>Heading</h1>
            <p>Hello <b>Ann</b> &amp;
               Ben,</p>
            <ul><li>One</li>  <li>Two</li></ul>
            <table><tr><th scope="row">Total</th><td>$1.00\u00a0USD</td></tr>
              <tr><th>From</th><td>May</td></tr></table>
            <p class="soft"></p>
            <p class="last"><a class="button" href="https://example.com/a?b=1&amp;c=2">Open it</a></p>
            <p class="foot">HostPilot sends this.</p></body></html>"""
        )
        == """Hello Ann & Ben,

- One
- Two

Total: $1.00\u00a0USD
From: May

Open it:
https://example.com/a?b=1&c=2

--
HostPilot sends this.
"""
    )


def test_what_somebody_wrote_keeps_its_lines_and_is_no_markup() -> None:
    quoted = "<blockquote>On Friday.<br>  Bring &lt;b&gt;coffee&lt;/b&gt;.<br><br><br>Bye</blockquote><p>End</p>"
    assert plain_text(quoted) == "On Friday.\n  Bring <b>coffee</b>.\n\nBye\n\nEnd\n"
