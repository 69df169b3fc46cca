"""`make check`: everything that can be said about the source without running it.

Owns the list of checks and their order. All of them run, even after one has failed: a person wants
to see everything at once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import django
from django.conf import settings
from django.template import TemplateSyntaxError
from django.template.loader import get_template

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def run(*command: str) -> bool:
    """Run a tool of the environment; return whether it was content."""
    return subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, check=False).returncode == 0


def templates() -> bool:
    """Compile every template: a missing tag or block shows here, not at night."""
    django.setup()
    good = True
    for folder in settings.TEMPLATES[0]["DIRS"]:
        for path in sorted(Path(str(folder)).rglob("*.html")):
            try:
                get_template(str(path.relative_to(str(folder))))
            except TemplateSyntaxError as error:
                print(f"{path.relative_to(ROOT)}: {error}")
                good = False
    return good and run("djlint", "src/stillhere/web/templates", "--lint", "--quiet")


def audit() -> bool:
    """Look for known holes in what we depend on; say so where that could not be done.

    The auditor ends well even when it could ask nobody, so its words count, not its exit code.
    """
    command = ["pip-audit", "--requirement", "requirements/run.txt", "--disable-pip"]
    command += ["--require-hashes", "--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run(
            [BIN / command[0], *command[1:]],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
        packages = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        print("NOT AUDITED: the auditor gave no answer. Run `make check` where it has network.")
        return True
    holes = [
        (package["name"], hole["id"]) for package in packages for hole in package.get("vulns", [])
    ]
    for name, hole in holes:
        print(f"{name}: {hole}")
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if skipped or not packages:
        print(
            f"NOT AUDITED: {len(skipped)} of {len(packages)} packages could not be looked up. "
            "Run `make check` where the advisory service can be reached."
        )
    return not holes


CHECKS: dict[str, Callable[[], bool]] = {
    "ruff": lambda: run("ruff", "check"),
    "format": lambda: run("ruff", "format", "--check"),
    "types": lambda: run("mypy"),
    "floors": lambda: run("lint-imports"),
    "templates": templates,
    "catalogues": lambda: run("python", "tools/catalogues.py"),
    "audit": audit,
}


def main() -> int:
    """Run every check; say which failed."""
    sys.path.insert(0, str(ROOT))
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    failed = []
    for name, check in CHECKS.items():
        print(f"== {name}", flush=True)
        if not check():
            failed.append(name)
        sys.stdout.flush()
    print(f"\ncheck: {', '.join(failed)} failed" if failed else "\ncheck: all is well")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
