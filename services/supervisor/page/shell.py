"""The whole document, and what a browser may do with it."""

from collections.abc import Mapping
from typing import Final

from services.kit.markup import Child, Markup, el, together
from services.supervisor.page.viewer import Viewer

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def document(viewer: Viewer, title: str, inside: Child, told: Markup | None = None) -> str:
    """A page for somebody who is signed in."""
    tenant = viewer.tenant.facts.name or viewer.tenant_id
    leave = el(
        "form", el("input", type="hidden", name="token", value=viewer.form_token),
        el("button", "Sign out", type="submit", class_="button quiet"), method="post", action="/out",
    )  # fmt: skip
    head = el(
        "header", el("a", "Agents", href="/", class_="brand"), el("span", tenant, class_="tenant"),
        el("span", viewer.session.name, class_="who"), leave, class_="top",
    )  # fmt: skip
    body = together(
        el("a", "Skip to the content", href="#main", class_="skip"),
        head,
        el("div", told, id="told", role="status", aria_live="polite", tabindex="-1"),
        el("main", inside, id="main", tabindex="-1"),
        el("p", "Connecting again: what is shown may be old.", id="offline", role="status", hidden=True),
    )
    return _whole(title, body, live=True)


def sheet(title: str, *inside: Child, to: str | None = None) -> str:
    """A page with one thing on it, for anybody. It may lead on by itself."""
    return _whole(title, el("main", el("h1", title), inside, class_="sheet card", id="main"), live=False, to=to)


def told(text: str, *, is_good: bool) -> Markup:
    """What became of what somebody did."""
    return el("p", text, class_="told", data_level="good" if is_good else "warning")


def _whole(title: str, body: Markup, *, live: bool, to: str | None = None) -> str:
    head = el(
        "head", el("meta", charset="utf-8"), el("title", f"{title} – Threadline"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", http_equiv="refresh", content=f"0;url={to}") if to is not None else None,
        el("link", rel="icon", href="data:,"),
        el("link", rel="stylesheet", href="/static/page.css"),
        el("script", "", src="/static/page.js", type="module") if live else None,
    )  # fmt: skip
    return f'<!doctype html><html lang="en">{head}{el("body", body)}</html>'
