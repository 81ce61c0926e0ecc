"""A shop's site at another origin, with hostile styles and a strict policy."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

HOSTILE = """
* { color: rgb(255, 0, 255) !important; font-size: 40px !important; letter-spacing: 9px !important;
    text-transform: uppercase; border-radius: 0 !important; }
button, a, img, li, ul, h2, h3, section { display: none !important; background: lime !important; }
.card, .grid, .root, .button, .frame { visibility: hidden !important; position: fixed !important; }
:root { --accent: lime; --ink: lime; --surface: lime; --line: lime; --radius: 99px; }
html { direction: rtl; text-align: right; font-family: cursive; line-height: 4; }
"""


class ForeignSite:
    """Serves one page, at `/`, with the widget of the gateway at `gateway`. `attributes` are those of the widget."""

    def __init__(self) -> None:
        self.gateway = ""
        self.attributes = ""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body, kind = site.response(self.path)
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Security-Policy", site.policy)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Write no log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def policy(self) -> str:
        """The policy that docs/widget.md recommends."""
        own = f"default-src 'none'; style-src 'self'; script-src 'self' {self.gateway}; connect-src {self.gateway}; "
        return own + f"img-src {self.gateway} data:; require-trusted-types-for 'script'"

    def response(self, path: str) -> tuple[bytes, str]:
        """Return the body and media type of a path."""
        if path == "/hostile.css":
            return HOSTILE.encode(), "text/css"
        if path == "/shop.js":
            return SCRIPT.encode(), "text/javascript"
        if path == "/favicon.ico":
            return b"x", "image/x-icon"
        page = PAGE.replace("GATEWAY", self.gateway).replace("ATTRIBUTES", self.attributes)
        return page.encode(), "text/html; charset=utf-8"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


PAGE = """<!doctype html>
<html lang="en">
<head>
  <title>Another shop</title>
  <link rel="stylesheet" href="/hostile.css">
  <script src="/shop.js"></script>
  <script type="module" src="GATEWAY/widget.js"></script>
</head>
<body>
<main><h1>Another shop</h1><p id="own">Our own page</p><lookalike-search ATTRIBUTES></lookalike-search></main>
</body>
</html>
"""
SCRIPT = """
window.events = [];
for (const type of ["lookalike-search", "lookalike-click", "lookalike-error"]) {
  document.addEventListener(type, (event) => {
    window.events.push({ type, detail: event.detail });
    if (type === "lookalike-click") event.preventDefault();
  });
}
"""
