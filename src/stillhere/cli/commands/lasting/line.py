"""`stillhere line`: rings phones over SIP, if the settings name a trunk or a gateway."""

from __future__ import annotations

import asyncio
import logging.config
import os
import signal
from functools import partial
from urllib.parse import urlsplit

import click

from stillhere import sip
from stillhere.channels.carriers.carrier import Carrier
from stillhere.channels.carriers.numbers import normalise_number
from stillhere.cli import life, unlock
from stillhere.config import environment, keys, logs, wiring
from stillhere.config.environment import SettingError, Stillhere
from stillhere.sip.baresip import Trunk
from stillhere.sip.service import DirectLine, Ours


@click.command()
def command() -> None:
    """Run only the direct line; returns on SIGTERM."""
    stillhere = environment.read(os.environ)
    logging.config.dictConfig(logs.configuration(stillhere.log))
    trunks = [carrier for carrier in stillhere.carriers if carrier.kind == "sip"]
    if not trunks:
        raise SettingError("no line is set up: name a sip:// carrier in STILLHERE_CARRIERS.")
    lacking = sip.missing()
    if lacking:
        raise SettingError(
            f"the line needs {', '.join(lacking)}. On Debian or Ubuntu type: {sip.INSTALL}"
        )
    unlock.require(stillhere)
    stillhere = keys.load(stillhere, wiring.wall_ms)
    asyncio.run(_serve([_line(stillhere, trunk) for trunk in trunks]))


def _line(stillhere: Stillhere, trunk: Carrier) -> DirectLine:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(stillhere.host, stillhere.host)  # noqa: S104
    return DirectLine(
        wiring.spoken(stillhere, trunk),
        Trunk(urlsplit(trunk.base_url).netloc, trunk.account or trunk.sender, trunk.secret),
        Ours(stillhere.base_url, host, stillhere.port),
        partial(normalise_number, region=stillhere.country),
        int(trunk.options.get("listen", "5060")),
    )


async def _serve(lines: list[DirectLine]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    living = asyncio.create_task(life.signs())
    await asyncio.gather(*(each.run(stop) for each in lines))
    living.cancel()
