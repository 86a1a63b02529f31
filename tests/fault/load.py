"""People at work while something breaks: they locate, edit and fetch tiles, and note what was answered and when."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from typing import Any

from tests.fault.city import Answer, City
from tests.fault.strikes import draft

KINDS = ("locate", "locate", "locate", "edit", "edit", "tile", "tile", "report")


class Load:
    """Eight threads; every answer is kept with its moment."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.heard: list[tuple[float, str, Answer]] = []
        self.notes: dict[int, list[str]] = {}
        self.tokens: list[str] = []
        self._stop = threading.Event()
        lon, lat = city.sql("SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_PointOnSurface(geometry) p FROM grids "
                            "WHERE upper_inf(generations) AND level = 1 ORDER BY id LIMIT 1) g")[0]  # fmt: skip
        self._place = float(lon), float(lat)
        self._numbers = itertools.count()
        self._plans = [draft(city) for kind in KINDS if kind == "edit"]
        plans = iter(self._plans)
        self._threads = [
            threading.Thread(target=self._work, args=(kind, next(plans) if kind == "edit" else 0)) for kind in KINDS
        ]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(120)

    def _work(self, kind: str, plan: int) -> None:
        version = 1
        self.notes[plan] = []
        while not self._stop.is_set():
            number = next(self._numbers)
            if kind == "locate":
                lon, lat = self._place
                got = self.city.ask("GET", f"/api/v1/locate?lon={lon:.7f}&lat={lat:.7f}")
            elif kind == "tile":
                # another tile each time: nothing kept answers for the database
                place = f"18/{97000 + number % 900}/{214000 + number % 977}"
                got = self.city.ask("GET", f"/ogc/collections/grids/tiles/WebMercatorQuad/{place}")
            elif kind == "report":
                token = f"load-{id(self)}-{number}"
                lon, lat = self._place
                body = {"service_code": "0101", "lon": lon, "lat": lat, "description": "井盖松动", "token": token}
                got = self.city.ask("POST", "/api/v1/reports", body)
                if got.status == 201:
                    self.tokens.append(token)
            else:
                note, here = f"note {number}", f"/api/v1/plans/{plan}"
                got = self.city.ask("PATCH", here, {"note": note}, If_Match=f'"{version}"')
                if got.status == 200:
                    version = got.body["version"]
                    self.notes[plan].append(note)
                elif got.status == 412:
                    seen = self.city.ask("GET", here)
                    version = seen.body["version"] if seen.status == 200 else version
            self.heard.append((time.monotonic(), kind, got))
            time.sleep(0.03)

    def since(self, begun: float, kind: str) -> list[tuple[float, Answer]]:
        """Answers of a kind after a moment: seconds after it, answer."""
        return [(when - begun, got) for when, one, got in self.heard if one == kind and when >= begun]

    def back(self, begun: float) -> float:
        """Seconds until the last answer that was none, or 503."""
        bad = [when - begun for when, _, got in self.heard if when >= begun and got.status in (0, 503)]
        return max(bad, default=0.0)

    def unclean(self, begun: float) -> list[Answer]:
        """Answers that are neither right nor a clean 503 that says when to come back."""
        return [
            got
            for when, _, got in self.heard
            if when >= begun
            and got.status not in (200, 201, 204, 412)
            and not (got.status == 503 and got.headers.get("retry-after", "").isdigit() and got.body["error"]["code"])
        ]

    def counts(self, begun: float) -> dict[str, dict[int, int]]:
        """How often each status was answered, by kind."""
        found: dict[str, Counter[int]] = {kind: Counter() for kind in KINDS}
        for when, kind, got in self.heard:
            if when >= begun:
                found[kind][got.status] += 1
        return {kind: dict(counted) for kind, counted in found.items()}

    def lost(self) -> list[str]:
        """What was answered with success and is not there."""
        there = {row[0] for row in self.city.sql("SELECT token FROM reports WHERE token = ANY(%s)", self.tokens)}
        missing = sorted(set(self.tokens) - there)
        for plan in self._plans:
            version = self.city.sql("SELECT version FROM plans WHERE id = %s", plan)[0][0]
            if version < len(self.notes[plan]) + 1:
                missing.append(f"edits of plan {plan}")
        return missing
