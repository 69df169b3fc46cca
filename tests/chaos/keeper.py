"""Two web and two engine processes under our own supervisor: what two machines on one PostgreSQL
run. ``python keeper.py PORT PORT``. Owns nothing but the list."""

from __future__ import annotations

import logging
import sys

from stillhere.cli import supervise


def main(ports: list[str]) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    us = [sys.executable, "-m", "stillhere"]
    children = []
    for n, port in enumerate(ports, 1):
        web = ["env", f"STILLHERE_PORT={port}", *us, "web"]
        children += [
            supervise.Child(f"web-{n}", web, hears=True),
            supervise.Child(f"engine-{n}", [*us, "engine"], told=True),
        ]
    supervise.run(children, lambda: True)


if __name__ == "__main__":
    main(sys.argv[1:])
