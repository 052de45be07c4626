"""The status page: three files of our own, nothing from elsewhere, and no value in any of them."""

from __future__ import annotations

from importlib.resources import files

from openclaw_cli.gateway import web

_KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_FILES = {
    "/__openclaw__": "page.html",
    "/__openclaw__/": "page.html",
    "/__openclaw__/page.css": "page.css",
    "/__openclaw__/page.js": "page.js",
}
HEADERS = {
    # Nothing inline, nothing from elsewhere, nobody may frame it, and it may only ask us.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def answer(path: str) -> web.Response | None:
    """Return the page or one of its parts; None for a path that is none of them."""
    name = _FILES.get(path)
    if name is None:
        return None
    text = files(__name__).joinpath(name).read_text(encoding="utf-8")
    kind = _KINDS[name.rpartition(".")[2]]
    return web.Response(text=text, content_type=kind, charset="utf-8", headers=HEADERS)
