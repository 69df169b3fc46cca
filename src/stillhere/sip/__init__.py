"""The direct line: rings phones by SIP, without any company's programming interface.

A process of its own (`stillhere line`). To the rest of Stillhere it is one more carrier that speaks
Twilio's language on this machine alone; towards the phone network it speaks SIP, through a trunk or
a gateway. Owns no decision, keeps nothing, writes nothing down.
"""

import shutil

PROGRAMS = ("baresip", "espeak-ng", "sox")
INSTALL = "sudo apt-get install baresip-core espeak-ng sox"


def missing() -> list[str]:
    """The programs a line needs that are not on this machine."""
    return [program for program in PROGRAMS if shutil.which(program) is None]
