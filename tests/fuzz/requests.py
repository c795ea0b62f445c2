"""Random requests: known paths and forms, bent in one or two ways each."""

import random
import string
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

NUMBERS = ["-1", "0", "1", "9" * 19, "9" * 400, "2147483648", "9223372036854775808", "1e400", "NaN", "0x10", "٣", "1.5"]
DAYS = ["9999-12-31", "0001-01-01", "10000-01-01", "2026-02-30", "2026-13", "yesterday", "2026-03-05T25:61Z"]
TEXTS = [
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "é" * 300,
    "x" * 70_000,
    "%",
    "'",
    '"><script>',
    "../../etc/passwd",
    "{{ 7*7 }}",
    "\r\nSet-Cookie: a=b",
    "\u202e",
    "🎉" * 50,
    "null",
    "[]",
    "{}",
    "[" * 100_000,
    '{"a":' * 20_000,
    "true",
]
HEADERS = {
    "Host": ["evil.example.com", "", "127.0.0.1:99999", "[::1", "a" * 5_000, "127.0.0.1\t"],
    "Referer": ["https://[::1", "http://", "javascript:alert(1)", "\xff\xfe", "http://127.0.0.1/" + "x" * 9_000],
    "Origin": ["null", "https://[", "http://127.0.0.1:1"],
    "Cookie": [
        "sessionid=" + "x" * 3_000,
        "a=b; a=c; =; ;;",
        "sessionid=\xff",
        "known=é",
        "django_language=../x",
        "=" * 99,
    ],
    "Accept-Language": ["es", "xx-" + "y" * 5_000, ",,,", "es;q=abc", "\xff"],
    "Accept": ["application/json", "*/*;q=", "x" * 5_000],
    "Content-Type": [
        "text/plain; charset=base64",
        "application/x-www-form-urlencoded; charset=utf-16",
        "multipart/form-data",
        "multipart/form-data; boundary=" + "b" * 500,
        "multipart/form-data; boundary=x",
        "application/json; charset=",
        "; charset=rot13",
        "application/json",
        "x" * 9_000,
    ],
    "Content-Length": ["-1", "abc", "0", "1_0"],  # more than is sent would only make the server wait for the rest
    "Range": ["bytes=0-1", "bytes=9-1", "bytes=" + "0-1," * 2_000],
    "If-Modified-Since": ["yesterday", "Sun, 06 Nov 9999 08:49:37 GMT", "Sun, 06 Nov 0001 08:49:37 GMT"],
    "If-None-Match": ["*", '"x"', "\xff"],
    "X-Requested-With": ["XMLHttpRequest"],
    "X-Forwarded-For": ["1.2.3.4", "x", "::ffff:1.2.3.4, " * 500],
    "X-Forwarded-Proto": ["https", "x"],
    "Transfer-Encoding": ["chunked", "gzip", "identity, chunked"],
    "Expect": ["100-continue", "x"],
}
METHODS = [*["GET"] * 4, *["POST"] * 6, "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "BREW"]
QUERIES = [
    "page",
    "p",
    "o",
    "q",
    "e",
    "all",
    "cursor",
    "after",
    "before",
    "from",
    "until",
    "month",
    "kind",
    "state",
    "number",
    "next",
    "term",
    "app_label",
    "model_name",
    "field_name",
    "_popup",
    "_to_field",
    "id__exact",
    "user__email",
    "seats",
    "storage",
    "package",
    "status__exact",
    "created_at__gte",
    "period__contains",
    "_changelist_filters",
    "of",
    "account",
]
FIELDS = [
    "seats",
    "storage",
    "package",
    "addons",
    "channels",
    "edition",
    "signed",
    "name",
    "email",
    "role",
    "roles",
    "people",
    "file",
    "users",
    "number",
    "wanted_on",
    "note",
    "reason",
    "accounts",
    "action",
    "_selected_action",
    "login",
    "password",
    "language",
    "code",
    "credential",
    "amount",
    "account",
    "company",
    "timezone",
    "oldpassword",
    "on",
    "owner",
    "effective_from",
    "monthly_price",
    "prices-TOTAL_FORMS",
    "prices-INITIAL_FORMS",
    "contacts-TOTAL_FORMS",
    "post",
    "month",
    "columns",
    "zone",
    "select_across",
    "index",
    "kept",
    "form",
    "next",
    "deadline_on",
    "scheduled_on",
]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.path[:200]!r} {shortened(self.headers)} {self.body[:200]!r}"


def shortened(headers: dict[str, str]) -> dict[str, str]:
    return {name: value[:80] for name, value in headers.items()}


class Requests:
    """Makes requests from a seed and the paths that there are: the same seed, the same requests."""

    def __init__(self, seed: int, paths: list[str]) -> None:
        self.chance = random.Random(seed)
        self.paths = paths

    def next(self, token: str) -> Request:
        """Return the next request; `token` is what a page's form would send against forgery."""
        chance = self.chance
        method = chance.choice(METHODS)
        path = self._path()
        headers: dict[str, str] = {}
        body = b""
        if method in ("POST", "PUT", "PATCH"):
            body, headers["Content-Type"] = self._body(token)
        for _ in range(chance.choice([0, 0, 1, 1, 2])):
            name = chance.choice(list(HEADERS))
            headers[name] = chance.choice(HEADERS[name])
        return Request(method, path, body, headers)

    def _path(self) -> str:
        chance = self.chance
        path = chance.choice(self.paths)
        if chance.random() < 0.25:
            parts = path.split("/")
            parts[chance.randrange(1, len(parts))] = quote(self._value()[:2_000], errors="surrogatepass")
            path = "/".join(parts)
        if chance.random() < 0.05:
            path = "/" + "".join(chance.choice(string.printable[:94]) for _ in range(chance.randrange(200)))
        if chance.random() < 0.6:
            names = [chance.choice(QUERIES) for _ in range(chance.randrange(1, 4))]
            path += "?" + "&".join(f"{name}={self._quoted()}" for name in names)
        return path.replace(" ", "%20").replace("\n", "%0A").replace("\r", "%0D")

    def _value(self) -> str:
        chance = self.chance
        pool = chance.choice([NUMBERS, DAYS, TEXTS, ["100002", "100006", "on", "", "toll_free", "cc-pro"]])
        return chance.choice(pool)

    def _quoted(self) -> str:
        value = self._value()[:3_000]
        return self.chance.choice([quote(value, errors="surrogatepass"), "%ff%fe", "%", "%00"])

    def _body(self, token: str) -> tuple[bytes, str]:
        """Return a body and its Content-Type."""
        chance = self.chance
        fields = {chance.choice(FIELDS): self._value() for _ in range(chance.randrange(6))}
        if chance.random() < 0.9:
            fields["csrfmiddlewaretoken"] = token
        kind = chance.random()
        if kind < 0.7:
            return urlencode(fields, errors="surrogatepass").encode(), "application/x-www-form-urlencoded"
        if kind < 0.75:
            return chance.randbytes(chance.randrange(3_000)), "application/x-www-form-urlencoded"
        if kind < 0.8:
            return chance.choice(TEXTS).encode(errors="surrogatepass"), "application/json"
        return self._multipart(fields), "multipart/form-data; boundary=edge"

    def _multipart(self, fields: dict[str, str]) -> bytes:
        chance = self.chance
        parts = [
            f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode(errors="surrogatepass")
            for name, value in fields.items()
        ]
        content = chance.choice([b"id,started_at\n1,2", b"PK\x03\x04junk", b"\x1f\x8bjunk", b"\xff\xfe", b"", b"%PDF-"])
        name = chance.choice(["people.csv", "calls.csv.gz", "calls.xlsx", "a\\..\\b", ""])
        kind = chance.choice(["text/csv", "text/plain; charset=base64", "x"])
        parts.append(
            f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            f"Content-Type: {kind}\r\n\r\n".encode()
            + content
            + b"\r\n"
        )
        whole = b"".join(parts) + b"--edge--\r\n"
        return whole[: chance.randrange(len(whole))] if chance.random() < 0.2 else whole
