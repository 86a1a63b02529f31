"""The conformance classes of the OGC API standards this service keeps; one list for every part of /ogc."""

from __future__ import annotations

from typing import Final

COMMON: Final = "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf"
COLLECTIONS: Final = "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf"
CORE: Final = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
CRS: Final = "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf"
FILTER: Final = "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf"
EDITING: Final = "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf"
SCHEMAS: Final = "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf"
TILES: Final = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf"
MATRICES: Final = "http://www.opengis.net/spec/tms/2.0/conf"
CQL2: Final = "http://www.opengis.net/spec/cql2/1.0/conf"

CLASSES: Final = (
    f"{COMMON}/core", f"{COMMON}/landing-page", f"{COMMON}/json", f"{COMMON}/html", f"{COMMON}/oas30",
    f"{COLLECTIONS}/collections", f"{COLLECTIONS}/json", f"{COLLECTIONS}/html",
    f"{CORE}/core", f"{CORE}/geojson", f"{CORE}/html", f"{CORE}/oas30",
    f"{CRS}/crs",
    f"{FILTER}/queryables", f"{FILTER}/queryables-query-parameters", f"{FILTER}/filter", f"{FILTER}/features-filter",
    f"{EDITING}/create-replace-delete", f"{EDITING}/update", f"{EDITING}/optimistic-locking-etags",
    f"{EDITING}/features", f"{EDITING}/crs",
    f"{SCHEMAS}/schemas", f"{SCHEMAS}/core-roles-features", f"{SCHEMAS}/queryables", f"{SCHEMAS}/sortables",
    f"{CQL2}/cql2-text", f"{CQL2}/cql2-json", f"{CQL2}/basic-cql2", f"{CQL2}/advanced-comparison-operators",
    f"{CQL2}/case-insensitive-comparison", f"{CQL2}/basic-spatial-functions", f"{CQL2}/basic-spatial-functions-plus",
    f"{CQL2}/spatial-functions", f"{CQL2}/temporal-functions", f"{CQL2}/property-property", f"{CQL2}/arithmetic",
    f"{TILES}/core", f"{TILES}/tileset", f"{TILES}/tilesets-list", f"{TILES}/dataset-tilesets",
    f"{TILES}/geodata-tilesets", f"{TILES}/collections-selection", f"{TILES}/datetime", f"{TILES}/mvt",
    f"{TILES}/oas30",
    f"{MATRICES}/tilematrixset", f"{MATRICES}/json-tilematrixset",
)  # fmt: skip
"""What /ogc/conformance declares."""
