"""`make sbom`: what a release is made of, as CycloneDX, in ``requirements/run.cdx.json``.

Owns reading the lock file and naming each package with its version and licence. Every package
that ``requirements/run.txt`` pins stands in it, and no other; their hashes stay there alone. The
same lock gives the same file, so that a change of it is a change somebody can read.
"""

from __future__ import annotations

import sys
import tomllib
import uuid
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK, SBOM = ROOT / "requirements/run.txt", ROOT / "requirements/run.cdx.json"
# Pinned for another kind of Python, so it is not installed here: its licence was read at PyPI.
ELSEWHERE = {"brotlicffi": "MIT"}
_CLASSIFIER = "License :: "


def pinned() -> list[Requirement]:
    """Every package of the lock, with its version."""
    lines = LOCK.read_text("utf-8").splitlines()
    return [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalnum()]


def version_of(package: Requirement) -> str:
    """The one version that is locked."""
    (only,) = package.specifier
    return only.version


def licences_of(name: str) -> list[str]:
    """What a package says its licence is, as installed here: the SPDX expression, the short name,
    or its classifiers. Raises `LookupError` where it says nothing."""
    if name in ELSEWHERE:
        return [ELSEWHERE[name]]
    about = metadata.metadata(name)
    for field in ("License-Expression", "License"):
        said = about[field].strip() if field in about else ""
        if said and "\n" not in said:
            return [said]
    classifiers = [str(each) for each in about.get_all("Classifier") or []]
    said_all = [each.split(" :: ")[-1] for each in classifiers if each.startswith(_CLASSIFIER)]
    if not said_all:
        raise LookupError(f"{name} names no licence. Look it up, and write it into ELSEWHERE.")
    return sorted(said_all)


def installed(name: str) -> str:
    """The version that is installed here, or nothing."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def component(package: Requirement) -> Component:
    """One package, as it is locked. Raises `LookupError` where it is not what is installed."""
    name, version = package.name, version_of(package)
    if name not in ELSEWHERE and installed(name) != version:
        raise LookupError(f"{name} {version} is locked, and not what is installed: make test-fast")
    purl = PackageURL("pypi", None, name, version)
    make = LicenseFactory().make_from_string
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        purl=purl,
        bom_ref=str(purl),
        licenses=[make(each) for each in licences_of(name)],
    )


def sbom() -> str:
    """The whole list, as JSON."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    root = Component(
        type=ComponentType.APPLICATION,
        name=project["name"],
        version=project["version"],
        bom_ref=project["name"],
        licenses=[LicenseFactory().make_from_string(project["license"])],
    )
    parts = [component(package) for package in pinned()]
    bom = Bom(components=parts, serial_number=uuid.uuid5(uuid.NAMESPACE_URL, LOCK.read_text()))
    bom.metadata.component = root
    bom.metadata.timestamp = None  # type: ignore[assignment]  # the same lock, the same file
    ours = {canonicalize_name(Requirement(each).name) for each in project["dependencies"]}
    bom.register_dependency(root, [part for part in parts if part.name in ours])
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)


def main() -> int:
    """Write it."""
    SBOM.write_text(sbom() + "\n", "utf-8")
    print(f"{SBOM.relative_to(ROOT)} names {len(pinned())} packages.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
