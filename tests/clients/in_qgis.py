"""Run by the system's Python with QGIS: opens sources, says what it finds, draws pictures. Orders and answers are JSON.

Orders: ``sources`` (name, provider, uri; provider ``vectortile`` for tiles), ``project`` (a ``.qgs``) and ``pictures``,
each a list of sources or of the project's layers drawn together in a box, to a file.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsMapLayer,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsSymbol,
    QgsVectorLayer,
    QgsVectorTileBasicRenderer,
    QgsVectorTileLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QImage

PLAIN = QColor("#3366aa")


def opened(source: dict) -> QgsMapLayer:
    """A layer of a source, features in one plain colour."""
    name, provider, uri = source["name"], source["provider"], source["uri"]
    if provider == "wms":
        return QgsRasterLayer(uri, name, "wms")
    if provider == "vectortile":
        layer = QgsVectorTileLayer(uri, name)
        kinds = (QgsWkbTypes.PolygonGeometry, QgsWkbTypes.LineGeometry, QgsWkbTypes.PointGeometry)
        renderer, styles = QgsVectorTileBasicRenderer(), []
        for style in QgsVectorTileBasicRenderer.simpleStyleWithRandomColors():
            if style.geometryType() in kinds:
                style.setSymbol(plain(style.geometryType()))
                style.setLayerName(source["layer"])  # not the points of its labels
                styles.append(style)
        renderer.setStyles(styles)
        layer.setRenderer(renderer)
        return layer
    layer = QgsVectorLayer(uri, name, provider)
    if layer.isValid() and layer.renderer():
        layer.renderer().setSymbol(plain(layer.geometryType()))
    return layer


def plain(kind: int) -> QgsSymbol:
    symbol = QgsSymbol.defaultSymbol(kind)
    symbol.setColor(PLAIN)
    if kind == QgsWkbTypes.PolygonGeometry:
        symbol.symbolLayer(0).setStrokeColor(PLAIN)
    return symbol


def told(layer: QgsMapLayer) -> dict:
    """What there is to say about a layer."""
    box = layer.extent()
    answer = {
        "valid": layer.isValid(), "crs": layer.crs().authid(),
        "extent": [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()],
    }  # fmt: skip
    if isinstance(layer, QgsVectorLayer) and layer.isValid():
        features = list(layer.getFeatures())
        answer["count"] = len(features)
        answer["said"] = layer.featureCount()
        answer["fields"] = [field.name() for field in layer.fields()]
        boxes = [feature.geometry().boundingBox() for feature in features if not feature.geometry().isNull()]
        if boxes:
            whole = QgsRectangle(boxes[0])
            for one in boxes:
                whole.combineExtentWith(one)
            answer["features"] = [whole.xMinimum(), whole.yMinimum(), whole.xMaximum(), whole.yMaximum()]
        answer["styled"] = layer.renderer().type() if layer.renderer() else ""
    return answer


def draw(layers: list[QgsMapLayer], order: dict) -> None:
    """A picture of layers, the first on top. ``box`` is in ``crs``, east first."""
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(QgsCoordinateReferenceSystem(order["crs"]))
    settings.setExtent(QgsRectangle(*order["box"]))
    settings.setOutputSize(QSize(*order["size"]))
    settings.setBackgroundColor(QColor("white"))
    settings.setOutputImageFormat(QImage.Format_ARGB32)
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(order["file"])


def main() -> None:
    orders = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    application = QgsApplication([], True)  # symbols need a platform, if only the offscreen one
    application.initQgis()
    layers: dict[str, QgsMapLayer] = {}
    answers: dict[str, dict] = {}
    for source in orders.get("sources", []):
        layers[source["name"]] = layer = opened(source)
        answers[source["name"]] = told(layer)
    project = QgsProject.instance()
    if "project" in orders:
        read = project.read(orders["project"])
        answers["project"] = {"valid": read, "crs": project.crs().authid(), "title": project.title()}
        for layer in project.mapLayers().values():
            name = layer.shortName() if hasattr(layer, "shortName") and layer.shortName() else layer.name()
            layers[f"project:{layer.id()}"] = layer
            answers[f"project:{layer.id()}"] = told(layer) | {"name": name, "source": layer.source()}
    for order in orders.get("pictures", []):
        draw([layers[name] for name in order["layers"] if layers[name].isValid()], order)
    for swap in orders.get("swapped", []):  # the project's styles on data read from a file
        layer = layers[swap["layer"]]
        layer.setDataSource(swap["uri"], layer.name(), "ogr")
        layer.setCrs(QgsCoordinateReferenceSystem("EPSG:4490"))
        draw([layer], swap)
    Path(sys.argv[2]).write_text(json.dumps(answers), encoding="utf-8")
    os._exit(0)  # taking QGIS down from Python crashes now and then


main()
