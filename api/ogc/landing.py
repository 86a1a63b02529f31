"""The first pages of /ogc: what there is, what it keeps to, its description."""

from __future__ import annotations

from pathlib import Path

from apiflask import APIFlask
from flask import Response, current_app, send_from_directory

from api.ogc.answers import HTML, JSON, OPENAPI, address, answer, base, here, language, link, take
from api.ogc.conformance import CLASSES
from api.ogc.services import capabilities, landing_links

TITLE_ZH, TITLE_EN = "网格地图服务", "Grid map services"
ABOUT_ZH = "本服务的全部图层：要素查询与编辑（OGC API 要素）、矢量瓦片（OGC API 瓦片）、地图图片（WMS）、文件下载。"
ABOUT_EN = (
    "All layers of this service: features to ask and edit (OGC API Features), vector tiles (OGC API Tiles), "
    "pictures (WMS), files to take away."
)


def landing() -> Response:
    """Links to everything below /ogc."""
    take()
    links = [
        *here(),
        link("service-desc", address("api", f="json"), OPENAPI, "OpenAPI"),
        link("service-doc", address("api", f="html"), HTML, "API"),
        link("conformance", address("conformance"), JSON, "Conformance"),
        link("http://www.opengis.net/def/rel/ogc/1.0/conformance", address("conformance"), JSON),
        link("data", address("collections"), JSON, "Collections"),
        link("http://www.opengis.net/def/rel/ogc/1.0/data", address("collections"), JSON),
        *landing_links(),
    ]
    chinese = language() == "zh"
    value = {
        "title": TITLE_ZH if chinese else TITLE_EN, "description": ABOUT_ZH if chinese else ABOUT_EN, "links": links,
    }  # fmt: skip
    return answer(value, "ogc/landing.html", wms=capabilities("1.3.0"))


def conformance() -> Response:
    """The conformance classes of all parts."""
    take()
    return answer({"conformsTo": list(CLASSES), "links": here()}, "ogc/conformance.html")


def description() -> Response:
    """The OpenAPI description; for people a list of what it tells."""
    take()
    app = current_app
    assert isinstance(app, APIFlask)
    spec = app.spec
    assert isinstance(spec, dict)  # text only when SPEC_FORMAT asks for YAML
    rows = [
        (method.upper(), path, operation.get("summary", ""))
        for path, operations in spec["paths"].items()
        if path.startswith("/ogc")
        for method, operation in operations.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]
    return answer(spec, "ogc/api.html", kind=OPENAPI, rows=rows, title="API", root=base())


def style() -> Response:
    """The looks of the pages for people."""
    return send_from_directory(Path(__file__).parent / "templates" / "ogc", "style.css", mimetype="text/css")
