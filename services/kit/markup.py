"""Builds HTML in which nothing that somebody wrote can be anything but text."""

import html
from collections.abc import Iterable
from typing import TypeAlias
from urllib.parse import urlsplit

SCHEMES = {"http", "https", "mailto"}
_VOID = {"br", "hr", "img", "input", "link", "meta", "wbr"}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child: TypeAlias = "str | Iterable[Child] | None"
"""Something within an element: text, markup, nothing, or several of these."""
Attribute = str | int | bool | None


def el(tag: str, *children: Child, **attributes: Attribute) -> Markup:
    """An element. An attribute that is nothing or false is left out; `data_ts` is written `data-ts`."""
    named = "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Markup(f"<{tag}{named}>")
    return Markup(f"<{tag}{named}>{together(*children)}</{tag}>")


def together(*children: Child) -> Markup:
    """Several things, one after the other."""
    return Markup("".join(_child(each) for each in children))


def safe_url(url: object) -> str | None:
    """An address that a link may lead to; nothing where it could do something else."""
    if not isinstance(url, str):
        return None
    try:
        return url if urlsplit(url.strip()).scheme.lower() in SCHEMES else None
    except ValueError:
        return None


def link(url: str, *children: Child) -> Markup:
    """A link to somewhere outside, or only its words where that is no place to go."""
    target = safe_url(url)
    if target is None:
        return together(*children)
    return el("a", *children, href=target, target="_blank", rel="noopener noreferrer")


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    written = name.rstrip("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{html.escape(str(value))}"'


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return html.escape(child, quote=False)
    return together(*child)
