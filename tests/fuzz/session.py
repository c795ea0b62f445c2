"""A browser as simple as possible: it keeps cookies, follows nothing, and sends whatever it is told to."""

import http.client
import re
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from demo.provider import PASSWORD

LONGEST_WAIT = 20  # seconds until a request counts as one that hangs
MIDDLEWARE_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


@dataclass(frozen=True)
class Answer:
    """The status, or 0 if the server closed the connection without one; where a redirect leads; and the body."""

    status: int
    location: str = ""
    body: bytes = b""


@dataclass
class Session:
    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, *, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """Send a request and return the answer. Raises TimeoutError if it takes longer than LONGEST_WAIT."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONGEST_WAIT)
        connection._validate_path = lambda url: None  # type: ignore[attr-defined] # spaces and controls are sent too
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **(headers or {})}
        try:
            connection.putrequest(method, path, skip_host="Host" in sent, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value.encode("latin-1", "replace"))
            if "Content-Length" not in sent and "Transfer-Encoding" not in sent:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            if body:
                connection.send(body)
            answer = connection.getresponse()
            content = answer.read()
        except TimeoutError:
            raise
        except (http.client.HTTPException, OSError):
            return Answer(0)
        finally:
            connection.close()
        for header in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(header).items():
                self.cookies[name] = morsel.value
        return Answer(answer.status, answer.headers.get("Location", ""), content)

    def post(self, path: str, **fields: str) -> Answer:
        """Send a form with the token against forgery."""
        fields = {"csrfmiddlewaretoken": self.cookies.get("csrftoken", ""), **fields}
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", path, body=urlencode(fields).encode(), headers=form)


def logged_in(port: int, email: str) -> Session:
    """Return a session of the demo's user; of nobody, if the address is empty. Raises RuntimeError if login fails."""
    session = Session(port)
    session.send("GET", "/login/")
    if email and session.post("/login/", login=email, password=PASSWORD).status != 302:
        raise RuntimeError(f"{email} could not log in")
    return session
