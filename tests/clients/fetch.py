"""`fetch.py URL FILE [TOKEN]`: what the hub publishes there, as the file that a generator reads."""

import sys
import urllib.request
from pathlib import Path

url, file, *token = sys.argv[1:]
request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token[0]}"} if token else {})  # noqa: S310  # the hub of this test
with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # as above
    Path(file).write_bytes(answer.read())
