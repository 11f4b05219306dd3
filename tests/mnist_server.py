"""A web server for one folder of files, which misbehaves as a test asks it to."""

from __future__ import annotations

import contextlib
import http.server
import threading
import time


class Server(http.server.ThreadingHTTPServer):
    """Serves `files`; `odd` maps a name to a list of special behaviours, one used up a request."""

    daemon_threads = True

    def __init__(self, files: dict[str, bytes]):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.odd: dict[str, list[str]] = {}
        self.asked: list[tuple[str, str | None]] = []  # (name, Range)
        self.paths: list[str] = []
        self.release = threading.Event()  # lets hanging answers end
        self.url = f"http://127.0.0.1:{self.server_port}/mnist"

    def handle_error(self, request, client_address):
        pass  # clients that go away are what these tests are about

    def count(self, name: str) -> int:
        return sum(1 for asked, _ in self.asked if asked == name)


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        name = self.path.rsplit("/", 1)[1]
        wanted = self.headers["Range"]
        server.asked.append((name, wanted))
        server.paths.append(self.path)
        tricks = server.odd.get(name) or [""]
        trick = tricks.pop(0) if len(tricks) > 1 else tricks[0]
        data = server.files.get(name)
        if trick.isdigit() or data is None:
            self.send_error(int(trick or 404))
            return
        if trick == "hang":
            server.release.wait(60)
            return
        if trick == "wrong bytes":
            data = data[:100] + bytes([data[100] ^ 1]) + data[101:]
        if trick == "other file":
            data = b"<html>please log in</html>"
        start = int(wanted[6:-1]) if wanted and trick != "no ranges" else 0
        if start and trick != "other part":
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        elif start:
            self.send_response(206)
            self.send_header("Content-Range", f"bytes 1-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        body = data[start:]
        if trick != "endless":  # HTTP/1.0: the body ends with the connection
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.send_body(body, trick)

    def send_body(self, body: bytes, trick: str):
        if trick == "cut":
            self.wfile.write(body[: len(body) // 2])
        elif trick == "cut after 70 kB":
            self.wfile.write(body[:70_000])
        elif trick == "cut at once":
            pass
        elif trick == "half, then hang":
            self.wfile.write(body[: len(body) // 2])
            self.server.release.wait(60)
        elif trick == "dribble":
            for byte in body:
                self.wfile.write(bytes([byte]))
                if self.server.release.wait(0.05):
                    return
        elif trick == "endless":
            for _ in range(50):
                self.wfile.write(body)
        else:
            if trick == "slow":
                time.sleep(0.5)
            self.wfile.write(body)


@contextlib.contextmanager
def serving(files: dict[str, bytes]):
    server = Server(files)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.release.set()
        server.shutdown()
        thread.join()
        server.server_close()
