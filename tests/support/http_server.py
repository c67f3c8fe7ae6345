"""A web server of a few lines that takes what is posted to it and answers as it is told."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hook:
    """A real server on this machine; it answers with the statuses it is given, the last one for ever."""

    def __init__(self) -> None:
        self.statuses = [200]
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.location = ""
        self.answer = b""
        self.drip_seconds = 0.0
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.seen.append((self.path, dict(self.headers), body))
                status = hook.statuses.pop(0) if len(hook.statuses) > 1 else hook.statuses[0]
                self._drip()
                self.send_response(status)
                if hook.location:
                    self.send_header("Location", hook.location)
                self.end_headers()
                self.wfile.write(hook.answer)

            def _drip(self) -> None:
                # A header that never ends, a byte at a time: each one is in time, all together are not.
                until = time.monotonic() + hook.drip_seconds
                if hook.drip_seconds:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
                while time.monotonic() < until:
                    try:
                        self.wfile.write(b"x")
                    except OSError:
                        return
                    time.sleep(0.2)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/T0/path-secret"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
