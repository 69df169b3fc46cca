"""The database machine dies under load: `make chaos-ha`.

The recipe of deploy/patroni on loopback, two web and two engine processes on it, people who check
in over HTTP and fall silent one after another. Then the primary's server is killed, the primary's
whole machine, an etcd member, and a machine freezes. Nothing of Stillhere is started by hand.
Counted afterwards: acknowledged check-ins that are not in the store, and how late each alarm was.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.chaos.patroni_cluster import Node, PatroniCluster, running_patroni
from tests.chaos.patroni_people import Book, Sam, keep_the_ledger
from tests.installation import Installation, free_port, wait_for

SEED = int(os.environ.get("CHAOS_SEED", "20261125"))
PEOPLE, PER_S = 120, 20.0
EACH_S = 60.0  # from one fault to the next
LATEST_S = 30.0  # the promise
KEEP = (
    "import sys; from stillhere.cli.commands.lasting.up import children;"
    "from stillhere.cli import supervise;"
    "import logging.config; from stillhere.config import logs;"
    "logging.config.dictConfig(logs.configuration('info'));"
    "supervise.run(children(sys.argv[1]), lambda: True)"
)  # what systemd's Restart=always does, and nothing else


@dataclass
class Told:
    """What one fault cost."""

    what: str
    gap_s: float


@dataclass
class Stage:
    """The cluster, the servers in front of it, and the demo's phones."""

    cluster: PatroniCluster
    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    faults: list[Told] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.phones = f"http://127.0.0.1:{free_port()}"
        settings = {"STILLHERE_DATABASE_URL": self.cluster.url, "STILLHERE_DEMO": self.phones}
        self.servers = [Installation(self.folder, settings) for _ in range(2)]
        self.urls = [f"http://127.0.0.1:{server.port}" for server in self.servers]

    def inside(self, *what: object) -> Any:
        """Run tests.chaos.patroni_inside on the cluster."""
        environment = self.servers[0].environment
        environment = environment | {"DJANGO_SETTINGS_MODULE": "stillhere.config.settings"}
        command = [sys.executable, "-m", "tests.chaos.patroni_inside", *map(str, what)]
        told = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
        return json.loads(told.stdout)

    def open(self) -> None:
        """Tables, phones, two web and two engine processes, each under a supervisor of its own."""
        told = self.servers[0].run("migrate")
        assert told.returncode == 0, told.stderr
        secret = self.folder / "phones.secret"
        secret.write_text(self.inside("secret"))
        phones = ["-m", "stillhere.sim.phones", "--port", self.phones.rpartition(":")[2]]
        phones += ["--secret-file", str(secret), "--webhook", f"{self.urls[0]}/hooks/phones"]
        self._start("phones", [*phones, "--any-number"], {})
        for number, server in enumerate(self.servers):
            for name in ("web", "engine"):
                self._start(f"{name}{number}", ["-c", KEEP, name], server.environment)
        for server in self.servers:
            server.process = self.processes[0]  # so that it knows that something runs
            server.wait_healthy()
            server.process = None

    def _start(self, name: str, arguments: Sequence[str], environment: dict[str, str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, *arguments],
                    env=environment or None,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )

    def restarts(self) -> int:
        """How often a supervisor had to start a web or engine process again."""
        logs = [self.folder / f"{name}{n}.log" for name in ("web", "engine") for n in (0, 1)]
        return sum(log.read_text().count("child started") - 1 for log in logs)

    def log(self) -> list[dict[str, Any]]:
        """Every send that the phones' provider accepted."""
        with urllib.request.urlopen(f"{self.phones}/log", timeout=10) as answer:
            return [json.loads(line) for line in answer.read().decode().splitlines()]

    def close(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def stage() -> Iterator[Stage]:
    with running_patroni() as cluster:
        folder = cluster.folder / "stillhere"
        folder.mkdir()
        place = Stage(cluster, folder)
        try:
            place.open()
            yield place
        finally:
            place.close()
            if keep := os.environ.get("CHAOS_LOGS"):
                subprocess.run(["cp", "-r", folder, keep], check=False)


# --- the faults -----------------------------------------------------------------------------------


def kill_the_server(cluster: PatroniCluster, node: Node) -> Callable[[], None]:
    """kill -9 PostgreSQL; Patroni lives and hands over."""
    cluster.kill_postgres(node)
    return lambda: None


def kill_the_machine(cluster: PatroniCluster, node: Node) -> Callable[[], None]:
    """kill -9 PostgreSQL and Patroni; the machine is switched on again later."""
    cluster.kill_machine(node)
    return lambda: cluster.start_patroni(node)


def kill_an_etcd(cluster: PatroniCluster, node: Node) -> Callable[[], None]:
    """kill -9 the etcd beside the primary."""
    cluster.kill_etcd(node)
    return lambda: cluster.start_etcd(node)


def freeze_the_machine(cluster: PatroniCluster, node: Node) -> Callable[[], None]:
    """SIGSTOP PostgreSQL and Patroni; the machine thaws later."""
    pids = cluster.freeze(node)
    return lambda: cluster.thaw(pids)


def freeze_the_standby(cluster: PatroniCluster, node: Node) -> Callable[[], None]:
    """SIGSTOP the standby that every commit waits for."""
    standby = next(n for n in cluster.nodes if n.ask("/sync")[0] == 200)
    return freeze_the_machine(cluster, standby)


FAULTS = (
    kill_the_server,
    freeze_the_standby,
    kill_an_etcd,
    kill_the_machine,
    freeze_the_machine,
)


async def one_fault(
    place: Stage, book: Book, fault: Callable[[PatroniCluster, Node], Callable[[], None]]
) -> None:
    """Do harm, wait, make the machine whole again, and wait until the cluster is."""
    node = await asyncio.to_thread(place.cluster.primary)
    assert node is not None
    began = time.monotonic()
    mend = await asyncio.to_thread(fault, place.cluster, node)
    await asyncio.sleep(EACH_S * 0.75)
    mend()
    await asyncio.to_thread(wait_for, place.cluster.whole, "the cluster is whole again", 300)
    await asyncio.sleep(max(began + EACH_S - time.monotonic(), 2))
    place.faults.append(Told(fault.__name__, book.longest_gap_s(began, time.monotonic())))
    after = await asyncio.to_thread(place.cluster.primary)
    print(f"{fault.__name__:20} {node.name} -> {after.name if after else '?'}, ", end="")
    print(f"longest time without an acknowledgement {place.faults[-1].gap_s:.1f} s", flush=True)


async def story(place: Stage, book: Book, people: list[Sam], ledger: list[str]) -> None:
    chance = random.Random(SEED + 1)
    over = asyncio.Event()
    limit, pool = aiohttp.ClientTimeout(total=10), aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=limit, connector=pool) as http:
        jobs = [asyncio.create_task(sam.live(http, book, chance)) for sam in people]
        jobs.append(asyncio.create_task(keep_the_ledger(http, book, ledger, PER_S, over)))
        await asyncio.sleep(5)
        for fault in FAULTS:
            await one_fault(place, book, fault)
        over.set()
        await asyncio.gather(*jobs)


def first_calls(place: Stage, people: list[Sam]) -> dict[str, int]:
    """When the provider first took something for one of the contacts, by the person's key."""
    owner = {phone: sam.seeded["key"] for sam in people for phone in sam.seeded["contacts"]}
    first: dict[str, int] = {}
    for line in place.log():
        if line["to"] in owner:
            first.setdefault(owner[line["to"]], line["at_ms"])
    return first


def count(place: Stage, book: Book, people: list[Sam]) -> int:
    """Print what was found; the exit code."""
    kept, first = place.inside("look"), first_calls(place, people)
    newest: dict[str, int] = {}
    for _, key, seq in book.acked:
        newest[key] = max(seq, newest.get(key, 0))
    lost = sum(1 for key, seq in newest.items() if kept[key]["seq"] < seq)
    lost += sum(1 for sam in people if kept[sam.seeded["key"]]["seen_at"] < sam.seen_at)
    late = [
        (first[s.seeded["key"]] - s.alarm_at) / 1000 for s in people if s.seeded["key"] in first
    ]
    keys = [line["key"] for line in place.log()]
    figures = {
        "acknowledged": len(book.acked),
        "refused_and_tried_again": book.refused,
        "lost": lost,
        "alarms": len(late),
        "alarms_missed": len(people) - len(late),
        "alarm_late_max_s": round(max(late), 1),
        "alarm_late_median_s": round(sorted(late)[len(late) // 2], 1),
        "alarm_early_max_s": round(max(0.0, -min(late)), 1),
        "alarms_over_30_s_late": sum(1 for s in late if s > LATEST_S),
        "sent_twice": len(keys) - len(set(keys)),
        "set_aside": sum(1 for row in kept.values() if row["aside"]),
        "restarts_by_supervisor": place.restarts(),
        **{f"gap_{told.what}_s": round(told.gap_s, 1) for told in place.faults},
    }
    for name, value in figures.items():
        print(f"{name}={value}")
    good = not (lost or figures["alarms_missed"] or figures["alarms_over_30_s_late"])
    good = good and not figures["set_aside"] and figures["alarm_early_max_s"] <= 1.0
    print("chaos-ha: the promise held" if good else "chaos-ha: THE PROMISE DID NOT HOLD")
    return 0 if good else 1


def main() -> int:
    print(f"seed {SEED}: three machines, two web, two engine; {PEOPLE} people fall silent")
    chance = random.Random(SEED)
    with stage() as place:
        story_s = EACH_S * len(FAULTS)
        seeded = place.inside("seed", int(PER_S * story_s * 2), PEOPLE)
        # Their alarms are due about 90 s after they fall silent: all through the faults.
        people = [Sam(s, chance.uniform(1, story_s - 30)) for s in seeded["people"]]
        book = Book(place.urls)
        asyncio.run(story(place, book, people, seeded["ledger"]))
        silent = len(people)
        wait_for(lambda: len(first_calls(place, people)) == silent, "every silence is heard", 240)
        return count(place, book, people)


if __name__ == "__main__":
    sys.exit(main())
