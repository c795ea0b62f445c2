"""Static files in a deployment: served by the application, compressed, under names with a hash of their content."""

import json
from pathlib import Path

from tests.config.commands import PRODUCTION, PROJECT, manage

SCRIPT = """
import json, re
from django.conf import settings
from django.core.management import call_command
from django.test import Client

settings.STATIC_ROOT = {folder!r}
call_command("collectstatic", interactive=False, verbosity=0)
client = Client(headers=dict(host="panel.example.com", accept_encoding="gzip"))
page = client.get("/login/", secure=True).content.decode()
told = dict()
for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
    answer = client.get(address, secure=True)
    size = len(b"".join(answer.streaming_content))
    told[address] = [answer.status_code, answer.headers["Cache-Control"], answer.headers.get("Content-Encoding"), size]
print(json.dumps(told))
"""


def test_files_are_hashed_compressed_and_cached_for_ever(tmp_path: Path) -> None:
    done = manage("shell", "-v", "0", "-c", SCRIPT.format(folder=str(tmp_path)), **PRODUCTION)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    style = next(name for name in told if name.startswith("/static/hostpilot/hostpilot."))
    assert len(Path(style).suffixes[0]) == 13
    assert told[style][:3] == [200, "max-age=315360000, public, immutable", "gzip"]
    assert told[style][3] < len((PROJECT / "static/hostpilot/hostpilot.css").read_bytes()) / 2
    assert {answer[0] for answer in told.values()} == {200}
    assert any(name.endswith(".svg") for name in told)
