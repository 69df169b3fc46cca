"""What a release is made of stands in a file that goes with it, and it is this release's."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement

from tools import sbom

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(sbom.SBOM.read_text())
    return read


def test_every_pinned_package_is_named_with_its_version_and_licence(kept: dict[str, Any]) -> None:
    named = {(part["name"], part["version"]) for part in kept["components"]}
    pinned = {(package.name, sbom.version_of(package)) for package in sbom.pinned()}
    assert len(pinned) > 40
    assert named == pinned
    for part in kept["components"]:
        assert part["licenses"], part["name"]
        for each in part["licenses"]:
            said = each.get("expression") or each["license"].get("id") or each["license"]["name"]
            assert said.strip(), part["name"]


def test_it_is_made_of_this_lock() -> None:
    """After a change of the lock or of the version: make sbom."""
    assert sbom.SBOM.read_text() == sbom.sbom() + "\n"


def test_it_is_cyclonedx(kept: dict[str, Any]) -> None:
    text = json.dumps(kept)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str('{"version": "one"}') is not None


def test_it_says_what_we_chose_ourselves(kept: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (ours,) = (each for each in kept["dependencies"] if each["ref"] == project["name"])
    chosen = {each.removeprefix("pkg:pypi/").partition("@")[0] for each in ours["dependsOn"]}
    assert chosen == {Requirement(each).name for each in project["dependencies"]}


def test_a_package_without_a_licence_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sbom.ELSEWHERE, "brotlicffi")
    with pytest.raises(LookupError):
        sbom.sbom()


def test_a_package_that_is_installed_in_another_version_is_noticed() -> None:
    with pytest.raises(LookupError, match="installed"):
        sbom.component(Requirement("django==4.0"))


def test_a_release_carries_it() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    name = str(sbom.SBOM.relative_to(ROOT))
    assert build["targets"]["wheel"]["sbom-files"] == [name]
    assert name in build["targets"]["sdist"]["include"]
    assert "COPY requirements requirements" in (ROOT / "deploy/Containerfile").read_text()
