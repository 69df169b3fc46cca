"""Prepares a machine: the environment, the project in it, Debian packages for tests.

Owns what has to work before anything is installed, so it uses only the standard library and runs on
any Python 3; when something is missing it says what to type.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

LEAST = (3, 11)
# Debian package: (what it brings, where that is found)
Packages = dict[str, tuple[str, tuple[str, ...]]]
PACKAGES: Packages = {
    "baresip-core": ("baresip", ("/usr/bin/baresip",)),
    "chromium": ("Chromium", ("/usr/bin/chromium",)),
    "espeak-ng": ("espeak-ng", ("/usr/bin/espeak-ng",)),
    "gcc": ("a C compiler", ("/usr/bin/cc",)),
    "libc6-dev": ("the C library's headers", ("/usr/include/stdio.h",)),
    "libfaketime": ("libfaketime", ("/usr/lib/*/faketime/libfaketimeMT.so.1",)),
    "libpangoft2-1.0-0": ("Pango", ("/usr/lib/*/libpangoft2-1.0.so.0",)),
    "postgresql": ("PostgreSQL", ("/usr/lib/postgresql/*/bin/initdb",)),
    "sox": ("sox", ("/usr/bin/sox",)),
}
# What only one target needs, and only when it is run.
MORE: dict[str, Packages] = {
    "chaos-ha": {
        "postgresql": PACKAGES["postgresql"],
        "etcd-server": ("etcd", ("/usr/bin/etcd",)),
        "python3-venv": ("venv for /usr/bin/python3", ("/usr/lib/python3*/ensurepip/__init__.py",)),
    },
}


def stop(sentence: str) -> None:
    """End with one kind sentence."""
    sys.exit(f"stillhere: {sentence}")


def create(venv: Path) -> None:
    """Make the virtual environment, or say which package is missing."""
    if sys.version_info < LEAST:
        have = ".".join(map(str, sys.version_info[:2]))
        stop(
            f"this is Python {have}; Stillhere needs 3.11 or newer. "
            "If you have one, name it: make up PYTHON=python3.12"
        )
    if (venv / "bin" / "pip").exists():
        return
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(venv)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if made.returncode:
        shutil.rmtree(venv, ignore_errors=True)
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        stop(
            "Python's venv is not complete here. On Debian or Ubuntu type: "
            f"sudo apt-get install python{version}-venv\nIt said: {made.stdout.strip()}"
        )


def pip(venv: Path, *arguments: str) -> None:
    """Run pip in the environment; its own message is enough when it fails."""
    command = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    if subprocess.run(
        [*command, "--disable-pip-version-check", *arguments], check=False
    ).returncode:
        stop("the installation stopped. Look at the lines above; `make up` tries again.")


def install(venv: Path, requirements: Path) -> None:
    """Install exactly what is locked, every file checked by its hash."""
    create(venv)
    print(f"Installing what {requirements} locks (once; this needs the network)...", flush=True)
    pip(venv, "--require-hashes", "--requirement", str(requirements))


def project(venv: Path) -> None:
    """Install Stillhere itself, as it stands here; compiles the catalogues."""
    pip(venv, "--no-deps", "--no-build-isolation", "--editable", ".")


def missing_packages(wanted: Packages) -> list[str]:
    """Those of the ``wanted`` Debian packages whose programs are not here."""
    return [
        name
        for name, (_what, places) in wanted.items()
        if not any(list(Path("/").glob(place.lstrip("/"))) for place in places)
    ]


def packages(target: str = "") -> None:
    """Install what the tests (or one ``target``) need from Debian when root, else say what is
    missing."""
    wanted = MORE[target] if target else PACKAGES
    missing = missing_packages(wanted)
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        names = ", ".join(wanted[name][0] for name in missing)
        stop(f"the tests need {names}. Type: sudo apt-get install {' '.join(missing)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *missing]):
        subprocess.run(["apt-get", *command], env=environment, check=True)


def main(arguments: list[str]) -> None:
    """`install VENV FILE`, `project VENV`, `packages` or `packages TARGET`."""
    # No `match`: an old Python must get as far as the sentence that says it is too old.
    if arguments[:1] == ["install"] and len(arguments) == 3:
        install(Path(arguments[1]), Path(arguments[2]))
    elif arguments[:1] == ["project"] and len(arguments) == 2:
        project(Path(arguments[1]))
    elif arguments == ["packages"]:
        packages()
    elif arguments[:1] == ["packages"] and len(arguments) == 2 and arguments[1] in MORE:
        packages(arguments[1])
    else:
        stop("usage: machine.py install VENV FILE | project VENV | packages [TARGET]")


if __name__ == "__main__":
    main(sys.argv[1:])
