"""A server that must never be called: what it was asked is the proof of an attack that worked."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Listener:
    """A server that offers what attacks ask for, or sends them on; `paths` is what was asked."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        canary = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                canary.paths.append(self.path)
                self.send_response(302 if "redirect" in self.path else 200)
                self.send_header("Location", f"{canary.address}/followed.xsd")
                self.end_headers()
                self.wfile.write(b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>')

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
