"""One request to the map service: what it says, what is offered to its caller, how its answers are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from xml.etree.ElementTree import Element

from flask import current_app, request

from api.access.layers import audience, seen
from api.catalogue import Offer
from api.etag import keeping, request_tag
from api.state import state
from api.wms.known import Known
from gisgrid.errors import BadInput
from gisgrid.limits import WMS_BODY_BYTES_MAX
from layers.catalog import Layer
from layers.wms.asked import Asked, Language, language_of, version_of
from layers.wms.map_request import Offered
from layers.wms.posted import posted_map
from layers.wms.systems import Version
from layers.wms.times import TimeAxis

XML_BODIES = ("text/xml", "application/xml", "application/vnd.ogc.sld+xml")


@dataclass(frozen=True)
class Question:
    """``sld``: the descriptor of a posted GetMap."""

    asked: Asked
    version: Version
    offer: Offer
    sld: Element | None = None

    @cached_property
    def layers(self) -> Mapping[str, Layer]:
        """What the caller may see: drafts only with a key."""
        return seen(self.offer.layers)

    @cached_property
    def language(self) -> Language:
        """Of titles and legends."""
        return language_of(self.asked, [tag for tag, _ in request.accept_languages])

    @property
    def known(self) -> Known:
        """Where and when data are."""
        found: Known = current_app.extensions["gisgrid.wms"]
        return found

    def offered(self, *layers: str) -> Offered:
        """What a map is made of; axes of time of these layers (as far as there are such) only."""
        axes: dict[str, TimeAxis | None] = {
            name: self.known.axis(self.layers[name], self.offer)
            for name in layers
            if name in self.layers and self.layers[name].time is not None
        }
        revisions = {name: self.offer.revision(self.layers[name]) for name in layers if name in self.layers}
        zone = state().settings.timezone
        return Offered(self.layers, self.offer.styles, axes, revisions, self.offer.generation, zone)

    def tag(self, *layers: Layer) -> str:
        """The entity tag of an answer made of these layers (none: of all)."""
        read = layers or tuple(self.layers.values())
        return request_tag(" ".join(sorted({self.offer.revision(layer) for layer in read})), self.language, audience())

    def cache(self, *layers: Layer) -> str:
        """Who may keep an answer made of these layers, and how long."""
        return keeping(restricted=any(layer.restricted for layer in layers))

    @property
    def address(self) -> str:
        """Of this service, as the caller reached it, with the ``?`` behind which parameters go."""
        return request.host_url.rstrip("/") + request.script_root + "/wms?"


def question() -> Question:
    """What this request asks. Raises BadInput."""
    request.max_content_length = WMS_BODY_BYTES_MAX
    request.max_form_memory_size = WMS_BODY_BYTES_MAX
    pairs, sld = list(request.args.items(multi=True)), None
    if request.method == "POST":
        if request.mimetype in XML_BODIES:
            told, sld = posted_map(request.get_data(cache=False))
            given = {name.upper() for name, _ in told}
            # the address of a posted document may carry SERVICE and REQUEST; the document decides
            pairs = [pair for pair in pairs if pair[0].upper() not in given] + told
        elif request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data", ""):
            pairs += list(request.form.items(multi=True))
        else:
            raise BadInput(
                f"a body of {request.mimetype[:60]!r} is not read; post a form or a GetMap document as text/xml"
            )
    asked = Asked.of(pairs)
    version = version_of(asked)
    drawing = asked.text("REQUEST").lower() in ("getmap", "map")
    offer = state().catalogue.recent() if drawing else state().catalogue.now()
    return Question(asked, version, offer, sld)
