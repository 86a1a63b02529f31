"""What a release is made of, as CycloneDX JSON: Python packages by their metadata, npm packages by the lock file."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import re
import sys
import uuid
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

Component = dict[str, Any]


def main(lock: Path, target: Path) -> None:
    """Write the bill of materials of the installed gisgrid and its web pages."""
    own = distribution("gisgrid")
    python, edges = python_packages(own)
    npm = npm_packages(json.loads(lock.read_text(encoding="utf-8")))
    moment = dt.datetime.fromtimestamp(
        int(os.environ.get("SOURCE_DATE_EPOCH", dt.datetime.now(dt.UTC).timestamp())), dt.UTC
    )
    root = component(own, kind="application")
    direct = edges.pop(reference(own))
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'gisgrid {own.version} {moment.timestamp():.0f}')}",
        "version": 1,
        "metadata": {
            "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {"components": [{"type": "application", "name": "gisgrid .ci/sbom.py", "version": own.version}]},
            "component": root,
        },
        "components": [*python, *npm],
        "dependencies": [
            {"ref": root["bom-ref"], "dependsOn": sorted({*direct, *(one["bom-ref"] for one in npm)})},
            *({"ref": name, "dependsOn": sorted(needs)} for name, needs in sorted(edges.items())),
        ],
    }
    target.write_text(json.dumps(bill, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{target}: {len(python)} Python and {len(npm)} npm packages")


def python_packages(own: Distribution) -> tuple[list[Component], dict[str, set[str]]]:
    """The packages the installed one needs, theirs included, and who needs whom."""
    found: dict[str, Component] = {}
    edges: dict[str, set[str]] = {}
    waiting: list[tuple[Distribution, frozenset[str]]] = [(own, frozenset())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        package, extras = waiting.pop()
        needs = edges.setdefault(reference(package), set())
        for text in package.requires or []:
            wanted = Requirement(text)
            if wanted.marker and not any(wanted.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
                continue
            try:
                other = distribution(wanted.name)
            except PackageNotFoundError:
                sys.exit(f"{package.name} needs {wanted.name}, which is not installed; run make setup")
            needs.add(reference(other))
            found[reference(other)] = component(other)
            key = (reference(other), frozenset(wanted.extras))
            if key not in seen:
                seen.add(key)
                waiting.append((other, key[1]))
    return [found[name] for name in sorted(found)], edges


def component(package: Distribution, *, kind: str = "library") -> Component:
    """One Python package."""
    about = package.metadata
    made: Component = {
        "type": kind, "bom-ref": reference(package), "name": package.name, "version": package.version,
        "purl": reference(package), "licenses": licenses(about.get_all("License-Expression"), about.get("License"),
                                                         about.get_all("Classifier")),
    }  # fmt: skip
    if summary := about.get("Summary"):
        made["description"] = summary
    return made


def licenses(expression: list[str] | None, text: str | None, classifiers: list[str] | None) -> list[dict[str, Any]]:
    """What a package says of its licence: the SPDX expression, else a short name, else its classifiers."""
    if expression:
        return [{"expression": expression[0]}]
    if text and len(text) < 80 and "\n" not in text:
        return [{"license": {"name": text.strip()}}]
    named = [line.rpartition(" :: ")[2] for line in classifiers or [] if line.startswith("License :: ")]
    return [{"license": {"name": name}} for name in named]


def reference(package: Distribution) -> str:
    """The package URL."""
    return f"pkg:pypi/{re.sub(r'[-_.]+', '-', package.name).lower()}@{package.version}"


def npm_packages(lock: dict[str, Any]) -> list[Component]:
    """The packages the built pages hold; what only builds and tests them is none of it."""
    found: dict[str, Component] = {}
    for place, about in lock["packages"].items():
        if not place or about.get("dev") or about.get("devOptional") or about.get("link"):
            continue
        name = about.get("name") or place.rpartition("node_modules/")[2]
        purl = f"pkg:npm/{name.replace('@', '%40')}@{about['version']}"
        made: Component = {"type": "library", "bom-ref": purl, "name": name, "version": about["version"], "purl": purl}
        if "license" in about:
            made["licenses"] = [{"expression": about["license"]}]
        if about.get("integrity", "").startswith("sha512-"):
            digest = base64.b64decode(about["integrity"].removeprefix("sha512-").split()[0]).hex()
            made["hashes"] = [{"alg": "SHA-512", "content": digest}]
        found[purl] = made
    return [found[name] for name in sorted(found)]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
