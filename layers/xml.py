"""The one place XML is read (no DTD, no entities, few bytes, shallow), and the means to write it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from xml.etree.ElementTree import Element, TreeBuilder
from xml.sax.saxutils import escape, quoteattr

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from gisgrid.errors import BadInput
from gisgrid.limits import XML_BYTES_MAX, XML_DEPTH_MAX, XML_ELEMENTS_MAX

# what XML 1.0 cannot hold at all, not even escaped (section 2.2, Char)
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


# --- reading ----------------------------------------------------------------------------------


class _Small(TreeBuilder):
    """Builds the tree and gives up on one that is deep or large."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name, self._depth, self._elements = name, 0, 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        self._elements += 1
        if self._depth > XML_DEPTH_MAX:
            raise BadInput(
                f"{self._name}: elements lie more than {XML_DEPTH_MAX} deep in each other; send a flatter one"
            )
        if self._elements > XML_ELEMENTS_MAX:
            raise BadInput(f"{self._name}: the document has more than {XML_ELEMENTS_MAX} elements; send a smaller one")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def parse_xml(text: str | bytes, *, name: str) -> Element:
    """The root element of a document. ``name``: what it is called in errors (a parameter, "the body").

    A document with a DTD, an entity, more than `XML_BYTES_MAX` bytes, `XML_DEPTH_MAX` levels or `XML_ELEMENTS_MAX`
    elements is refused before it is held; nothing is ever fetched. Raises BadInput.
    """
    raw = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if len(raw) > XML_BYTES_MAX:
        raise BadInput(f"{name} has {len(raw)} bytes of XML; at most {XML_BYTES_MAX} are read")
    if isinstance(text, str):
        # a text has been decoded already, whatever encoding its declaration names
        raw = re.sub(rb"^\s*<\?xml[^>]*\?>", b"", raw, count=1)
    try:
        parser = DefusedXMLParser(target=_Small(name), forbid_dtd=True, forbid_entities=True, forbid_external=True)
        parser.feed(raw)
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise BadInput(f"{name}: a document type, entity or outside reference is refused; send plain XML") from error
    except (ParseError, ValueError, LookupError, AssertionError) as error:
        raise BadInput(f"{name} is no well-formed XML: {str(error)[:200]}") from error
    return root


def local(element: Element) -> str:
    """Name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


# --- writing ----------------------------------------------------------------------------------


class Markup(str):
    """Text that is XML already."""

    __slots__ = ()


def escaped(text: object) -> Markup:
    """Text as XML; characters it cannot hold become U+FFFD, a bare CR stays one."""
    return Markup(escape(_FORBIDDEN.sub("\ufffd", str(text)), {"\r": "&#13;"}))


def element(tag: str, *content: object, attributes: Mapping[str, object] | None = None) -> Markup:
    """An element; content that is no `Markup` is escaped, None is nothing."""
    named = "".join(
        f" {name}={quoteattr(_FORBIDDEN.sub(chr(0xFFFD), str(value)))}"
        for name, value in (attributes or {}).items()
        if value is not None
    )
    inside = "".join(part if isinstance(part, Markup) else escaped(part) for part in content if part is not None)
    return Markup(f"<{tag}{named}>{inside}</{tag}>" if inside else f"<{tag}{named}/>")
