"""`make docs`: the Markdown of this repository as a site in ``build/docs``, by MkDocs Material.

Owns what belongs to it and in which order, and the promise that reading it asks nobody else for
anything. The pages are laid out as they stand in the repository, so that their links hold in both
places; one that leads nowhere ends the build. MkDocs reads this file as its hook, too.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE, SITE = ROOT / "build/docs-source", ROOT / "build/docs"
HANDBOOK = ("person", "by-text", "contact", "coordinator", "phones", "running")

_LINK = re.compile(r"""(?:\]\(|\bsrc=")([^)\s"#:]+)""")
# What a browser fetches by itself; where a link leads is the reader's to decide.
_TAG = re.compile(
    r"<(?:script|link(?![^>]*canonical)|img|iframe|source|audio|video|use|object|embed)\b[^>]*>",
    re.IGNORECASE,
)
_FETCHED = re.compile(
    r"""\b(?:src|srcset|href|data|poster)=["']?((?:https?:)?//[^"'\s>]+)""", re.IGNORECASE
)
_STYLE = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)""", re.IGNORECASE)


def pages() -> list[str]:
    """Every page, by its path in the repository."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "deploy/README.md"]
    return sorted(str(path.relative_to(ROOT)) for path in found)


def linked() -> Iterator[str]:
    """The files that pages link to or show, where they are there."""
    for page in pages():
        for link in _LINK.findall((ROOT / page).read_text("utf-8")):
            target = ((ROOT / page).parent / link).resolve()
            if target.is_file() and target.is_relative_to(ROOT):
                yield str(target.relative_to(ROOT))


def navigation() -> list[Any]:
    """The pages in the order of the site's menu."""
    decisions = [page for page in pages() if re.match(r"docs/decisions/\d", page)]
    return [
        "README.md",
        {"Handbook": [f"docs/handbook/{name}.md" for name in HANDBOOK]},
        {"Running it": ["deploy/README.md", "docs/settings.md", "docs/scale.md"]},
        {
            "Papers": [
                "docs/privacy.md",
                "docs/assessment.md",
                "docs/asvs.md",
                "docs/defenses.md",
                "SECURITY.md",
            ]
        },
        {
            "How it is built": [
                "ARCHITECTURE.md",
                "SAFETY.md",
                "docs/proof.md",
                "docs/glossary.md",
                "CONTRIBUTING.md",
                "CHANGELOG.md",
            ]
        },
        {"Decisions": ["docs/decisions/README.md", *decisions]},
    ]


def on_config(config: Any) -> Any:
    """Give MkDocs the menu."""
    config.nav = navigation()
    return config


def lay_out() -> None:
    """Copy what belongs to the site to where MkDocs reads it."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    for name in sorted({*pages(), *linked()}):
        (SOURCE / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, SOURCE / name)


def asked_elsewhere(site: Path) -> Iterator[str]:
    """What a page of the built ``site`` would fetch from another host, a line each."""
    for path in sorted(site.rglob("*.*")):
        if path.suffix in (".html", ".css"):
            text = path.read_text("utf-8")
            tags = _TAG.findall(text) if path.suffix == ".html" else []
            fetched = [address for tag in tags for address in _FETCHED.findall(tag)]
            for address in fetched + _STYLE.findall(text):
                yield f"{path.relative_to(site)}: {address}"


def main() -> int:
    """Build it; return 1 where a link leads nowhere or something is fetched from elsewhere."""
    lay_out()
    done = subprocess.run(
        [Path(sys.executable).parent / "mkdocs", "build", "--strict", "--clean"],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},  # Material is kept up until May 2027
        check=False,
    )
    if done.returncode:
        return 1
    elsewhere = list(asked_elsewhere(SITE))
    for line in elsewhere:
        print(f"fetched from elsewhere: {line}")
    print(f"The site is in {SITE.relative_to(ROOT)}: open index.html there.")
    return 1 if elsewhere else 0


if __name__ == "__main__":
    sys.exit(main())
