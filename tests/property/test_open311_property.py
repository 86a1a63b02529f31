"""The XML of any text reads back as that text; a status only ever brings a report on."""

from __future__ import annotations

import re
import xml.dom.minidom
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.open311.statuses import STAGE_OF, STATUS_OF, stages_of
from api.open311.xml import ITEM, SINGULAR, xml_bytes
from data.reports import CLOSED, Change, _next_stage
from data.tables import STAGES
from gisgrid.errors import Conflict

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.sampled_from(["request", "services", "status", "description", "service_requests", "values"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def text_of(document: bytes) -> str:
    """All text of the root element, as a parser that is not ours sees it."""
    top = xml.dom.minidom.parseString(document).documentElement
    return "".join(node.data for node in top.childNodes)


@given(ANY_TEXT)
def test_any_text_reads_back(text: str) -> None:
    # section 2.2 of XML 1.0, written the other way round
    expected = "".join(
        "\ufffd" if re.match("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", char) else char for char in text
    )
    assert text_of(xml_bytes("description", text)) == expected


@given(ANY_TEXT)
def test_no_text_makes_an_element(text: str) -> None:
    top = xml.dom.minidom.parseString(xml_bytes("errors", [{"description": text}, {"description": text[::-1]}]))
    assert [node.tagName for node in top.documentElement.childNodes] == ["error", "error"]
    assert all(not node.firstChild.getElementsByTagName("*") for node in top.documentElement.childNodes)


def shape(name: str, value: Any) -> Any:
    """The elements a value should become: (name, children), text left out."""
    if isinstance(value, dict):
        return name, [shape(key, inner) for key, inner in value.items()]
    if isinstance(value, list):
        return name, [shape(SINGULAR.get(name, ITEM), inner) for inner in value]
    return name, []


def seen(node: Any) -> Any:
    return node.tagName, [seen(child) for child in node.childNodes if child.nodeType == node.ELEMENT_NODE]


@given(NAMES, VALUES)
def test_any_value_becomes_its_elements(name: str, value: Any) -> None:
    assert seen(xml.dom.minidom.parseString(xml_bytes(name, value)).documentElement) == shape(name, value)


@given(st.sampled_from(["a b", "", "1a", "a>", "名", "a\n"]))
def test_no_other_names_are_written(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        xml_bytes(name, None)


@given(st.sampled_from(STAGES), st.sampled_from(sorted(STAGE_OF)))
def test_a_status_brings_a_report_on_and_only_reopen_opens_it(now: str, status: str) -> None:
    change = Change(stage=STAGE_OF[status], reopen=status == "reopen", forward=True)
    after = _next_stage({"id": 1, "stage": now}, change)
    if status == "reopen" and now == CLOSED:
        assert after == STAGES[1]
    else:
        assert STAGES.index(after) >= STAGES.index(now)
        assert STAGE_OF[status] is None or STAGES.index(after) >= STAGES.index(STAGE_OF[status])


@given(st.sampled_from(STAGES), st.sampled_from(STAGES), st.booleans())
def test_staff_may_set_any_stage_but_archived_ones_ask_for_reopen(now: str, wanted: str, reopen: bool) -> None:
    change = Change(stage=wanted, reopen=reopen)
    if now == CLOSED and wanted != CLOSED and not reopen:
        with pytest.raises(Conflict, match="reopen=true"):
            _next_stage({"id": 1, "stage": now}, change)
        return
    expected = STAGES[1] if (now, wanted, reopen) == (CLOSED, CLOSED, True) else wanted
    assert _next_stage({"id": 1, "stage": now}, change) == expected


def test_every_stage_has_a_status_that_means_it() -> None:
    assert set(STATUS_OF) == set(STAGES)
    assert all(STAGE_OF[status] in (stage, None) for stage, status in STATUS_OF.items())
    assert stages_of("open,closed") == list(STAGES)
    assert [stages_of(status) for status in ("fixed", "closed")] == [[STAGES[3]], [STAGES[4]]]
