"""A slow disk: every fsync takes a third of a second, then one and a half, then none extra.

By a few lines of C that stand in front of fsync and fdatasync (LD_PRELOAD), compiled here: the only
way that slows the one call durability waits for, on any machine and without a kernel's help.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.chaos.place import Ground, plain_ground
from tests.chaos.scene import Fault, Scene

DELAYS_MS = (300, 1500)
SLOW_S = 8.0
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
static void rest(void) {
    char text[16] = {0};
    const char *name = getenv("CHAOS_FSYNC_FILE");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    if (read(file, text, sizeof text - 1) > 0) usleep(1000 * (useconds_t)atoi(text));
    close(file);
}
int fsync(int fd) {
    rest();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}
int fdatasync(int fd) {
    rest();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
"""


@contextmanager
def slow_disk() -> Iterator[Ground]:
    """A disk whose slowness stands in a file."""
    with plain_ground() as ground:
        home = ground.folder.parent
        (home / "shim.c").write_text(SHIM)
        shim = home / "shim.so"
        build = ["cc", "-shared", "-fPIC", "-O1", "-o", str(shim), str(home / "shim.c"), "-ldl"]
        subprocess.run(build, check=True)
        (home / "delay").write_text("0")
        ground.environment |= {"LD_PRELOAD": str(shim), "CHAOS_FSYNC_FILE": str(home / "delay")}
        yield ground


async def slow(scene: Scene) -> None:
    delay = scene.ground.folder.parent / "delay"
    for delay_ms in DELAYS_MS:
        await asyncio.sleep(1)
        with scene.wrong(f"fsync takes {delay_ms} ms"):
            delay.write_text(str(delay_ms))
            await asyncio.sleep(SLOW_S)
            delay.write_text("0")


FAULTS = [Fault("slow-disk", slow, ground=slow_disk, night_s=20.0)]
