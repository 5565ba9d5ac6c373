"""`lgsp serve` where somebody listens already: one line that says where and what to do, and nothing is opened."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("taken", "words", "hint"),
    [
        ("LGSP_DATA_PORT", (), "the data door"),
        ("LGSP_ADMIN_PORT", (), "the management door"),
        ("", ("--twins",), "the twin of national_portal"),
    ],
)
def test_a_taken_port_is_told_in_one_line(tmp_path, taken, words, hint):
    with socket.create_server(("127.0.0.1", 0 if taken else 8200)) as there:
        port = there.getsockname()[1]
        ports = {"LGSP_DATA_PORT": "39011", "LGSP_ADMIN_PORT": "39012"} | ({taken: str(port)} if taken else {})
        settings = {
            "LGSP_ENVIRONMENT": "development",
            "LGSP_MASTER_KEY": base64.b64encode(bytes(32)).decode(),
            "LGSP_DATABASE_URL": f"sqlite:///{tmp_path}/hub.db",
            "LGSP_ADMIN_PASSWORD": "m" * 32,
            **ports,
        }
        done = subprocess.run(
            [sys.executable, "-m", "lgsp", "serve", *words],
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    assert (len(lines), lines[0].startswith(f"{hint}: 127.0.0.1:{port}: Address already in use (")) == (1, True), done.stderr
