"""Services: the classes of events a report can be about, and what may be said of one."""

from __future__ import annotations

from typing import Any, Final

from flask import Response

from api.open311.answers import answer
from api.open311.params import query
from data.event_classes import EventClass, event_class, event_classes

CRS_NAMES: Final = {
    "wgs84": "WGS 84 (GPS)",
    "gcj02": "GCJ-02 (高德 AMap, 腾讯 Tencent)",
    "bd09": "BD-09 (百度 Baidu)",
    "cgcs2000": "CGCS2000 (国家大地坐标系)",
}


def list_services() -> Response:
    """Every service."""
    query(())
    return answer("services", [_service(one) for one in event_classes().values()])


def one_service(service_code: str) -> Response:
    """The definition of one service: the attributes a request may carry, none of them required."""
    query(())
    found = event_class(service_code)
    return answer("service_definition", {"service_code": found.code, "attributes": attributes()})


def _service(one: EventClass) -> dict[str, Any]:
    return {
        "service_code": one.code,
        "service_name": one.minor,
        "description": f"{one.major} · {one.minor} ({one.major_en})",
        "metadata": True,
        "type": "realtime",
        "keywords": f"{one.major},{one.major_en},{one.minor}",
        "group": f"{one.major} {one.major_en}",
    }


def attributes() -> list[dict[str, Any]]:
    """What a request may carry beside the fields of GeoReport v2.

    ``automated`` is FixMyStreet's: a reporter is asked for none of these, a client fills them in.
    """
    listed = [
        _attribute(
            "component_code",
            "string",
            "城市部件编码，该部件的主管部门负责 Code of the city component reported",
            "hidden_field",
        ),
        _attribute("crs", "singlevaluelist", "lat 和 long 的坐标系 Coordinate system of lat and long", "hidden_field"),
        _attribute("accuracy", "number", "定位误差（米） Location error in metres", "hidden_field"),
        _attribute("title", "string", "标题 Title", "server_set"),
        _attribute(
            "fixmystreet_id",
            "string",
            "FixMyStreet 编号，重复发送不会重复登记 Sending it again stores it once",
            "server_set",
        ),
    ]
    listed[1]["values"] = [{"key": key, "name": name} for key, name in CRS_NAMES.items()]
    return [one | {"order": number} for number, one in enumerate(listed, 1)]


def _attribute(code: str, datatype: str, description: str, automated: str) -> dict[str, Any]:
    return {
        "variable": True,
        "code": code,
        "datatype": datatype,
        "required": False,
        "datatype_description": None,
        "order": 0,
        "description": description,
        "automated": automated,
    }
