"""The loopback provider's manners: its log, its faults, its webhooks, whom it answers."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from stillhere.channels.base import Outgoing
from stillhere.channels.demo import Kind, PhonesChannel
from stillhere.core.messages import Fate
from stillhere.sim.phones.provider import Faults, Provider
from tests.channels.hearing import ANA, LEO, MAYA, Night, night
from tests.channels.rigs import NOW_MS, SECRET


def test_the_log_holds_every_accepted_send_once_in_order() -> None:
    async def story(tonight: Night) -> None:
        tonight.do("Leo", "refused")
        await tonight.text(MAYA, "one")
        await tonight.call(ANA, "two")
        await tonight.texts.send(Outgoing("k1", MAYA, "one"))  # a repeat
        await tonight.texts.send(Outgoing("k9", LEO, "refused"))
        await tonight.texts.send(Outgoing("k9", MAYA, "three"))  # refused is not remembered
        async with aiohttp.ClientSession() as session:
            async with session.get(tonight.url + "/log") as response:
                rows = [json.loads(line) for line in (await response.text()).splitlines()]
            async with session.get(tonight.url + "/log?after=2") as response:
                later = [json.loads(line) for line in (await response.text()).splitlines()]
        assert [(row["n"], row["key"], row["channel"], row["text"]) for row in rows] == [
            (1, "k1", "text", "one"),
            (2, "k2", "call", "two"),
            (3, "k9", "text", "three"),
        ]
        assert rows[0]["at_ms"] == NOW_MS
        assert later == rows[2:]

    night(story)


def test_faults_come_and_go_over_http() -> None:
    async def story(tonight: Night) -> None:
        async with aiohttp.ClientSession() as session:
            faults = {"unavailable": 2, "latency_s": 0.01}
            async with session.post(tonight.url + "/faults", json=faults) as response:
                assert response.status == 200
            for _ in range(2):
                receipt = await tonight.texts.send(Outgoing("k", MAYA, "hello"))
                assert (receipt.fate, receipt.retry_after_s) == (Fate.BUSY, 1)
            await tonight.text(MAYA)
            for wrong in ({"hang": -1}, {"garbage": "x"}, [1]):
                async with session.post(tonight.url + "/faults", json=wrong) as response:
                    assert response.status == 422
            async with session.post(tonight.url + "/faults", json={}) as response:
                assert response.status == 200
        assert tonight.provider.faults == Faults()

    night(story)


def test_a_wrong_secret_sends_nothing_and_blames_no_number() -> None:
    async def story(tonight: Night) -> None:
        stranger = PhonesChannel(Kind.TEXT, tonight.url, "a guess", demo=True)
        assert (await stranger.send(Outgoing("k", MAYA, "hello"))).fate is Fate.BUSY
        await stranger.close()
        assert not tonight.provider.log

    night(story)


@pytest.mark.parametrize(
    ("status", "fate"),
    [(400, Fate.BUSY), (403, Fate.BUSY), (404, Fate.FAILED), (422, Fate.FAILED), (302, Fate.BUSY)],
)
def test_what_every_status_means(status: int, fate: Fate) -> None:
    async def story(tonight: Night) -> None:
        async def reply(_: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
            return aiohttp.web.json_response({"id": 7}, status=status, headers={"Location": "/x"})

        app = aiohttp.web.Application()
        app.add_routes([aiohttp.web.post("/v1/texts", reply)])
        runner = aiohttp.web.AppRunner(app)
        await runner.setup()
        await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
        channel = PhonesChannel(
            Kind.TEXT, f"http://127.0.0.1:{runner.addresses[0][1]}", SECRET, demo=True
        )
        assert (await channel.send(Outgoing("k", MAYA, "hello"))).fate is fate
        await channel.close()
        await runner.cleanup()

    night(story)


def test_webhooks_are_repeated_until_somebody_listens() -> None:
    async def story(tonight: Night) -> None:
        tonight.ear.deaf = 7
        for number in range(5):
            tonight.do("Maya", "text", text=str(number))
        heard = await tonight.ear.wait_for(5)
        assert sorted(one.text for one in heard) == ["0", "1", "2", "3", "4"]
        assert len({one.provider_id for one in heard}) == 5
        assert tonight.ear.requests == 12

    night(story)


def test_webhooks_may_come_twice_with_the_same_id() -> None:
    async def story(tonight: Night) -> None:
        tonight.provider.faults = Faults(twice=True)
        tonight.do("Maya", "text", text="once")
        first, again = await tonight.ear.wait_for(2)
        assert first == again

    night(story)


def test_webhooks_may_come_in_the_wrong_order() -> None:
    async def story(tonight: Night) -> None:
        tonight.provider.faults = Faults(swapped=True)
        for words in ("1", "2", "3"):
            tonight.do("Maya", "text", text=words)
        assert [one.text for one in await tonight.ear.wait_for(3)] == ["2", "1", "3"]

    night(story)


def test_webhooks_of_one_phone_keep_their_order() -> None:
    async def story(tonight: Night) -> None:
        for number in range(40):
            tonight.do("Maya", "text", text=str(number))
        heard = await tonight.ear.wait_for(40)
        assert [one.text for one in heard] == [str(number) for number in range(40)]

    night(story)


def test_webhooks_of_one_phone_keep_their_order_through_a_short_silence() -> None:
    async def story(tonight: Night) -> None:
        tonight.ear.deaf = 3
        for number in range(5):
            tonight.do("Maya", "text", text=str(number))
        assert [one.text for one in await tonight.ear.wait_for(5)] == ["0", "1", "2", "3", "4"]

    night(story)


def test_half_a_letter_breaks_nothing() -> None:
    async def story(tonight: Night) -> None:
        tonight.do("Maya", "text", text="still here \ud800")
        [heard] = await tonight.ear.wait_for(1)
        assert heard.text == "still here ?"
        to_maya = {"to": MAYA, "text": "half \ud800"}
        headers = {"Authorization": f"Bearer {SECRET}"}
        async with aiohttp.request(
            "POST", tonight.url + "/v1/texts", json=to_maya, headers=headers
        ) as response:
            assert response.status == 202
        for path in ("/log", "/state"):
            async with aiohttp.request("GET", tonight.url + path) as response:
                assert response.status == 200
                assert "half" in await response.text()

    night(story)


def test_webhooks_wait_in_a_bounded_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stillhere.sim.phones.webhooks.MAX_WAITING", 10)

    async def story(tonight: Night) -> None:
        tonight.ear.deaf = 10**6
        for number in range(50):
            tonight.do("Maya", "text", text=str(number))
        webhooks = tonight.provider.webhooks
        assert (webhooks.waiting, webhooks.dropped) == (10, 40)
        tonight.ear.deaf = 0
        assert {one.text for one in await tonight.ear.wait_for(10)} >= {"49", "48"}

    night(story)


def test_any_number_may_be_sent_to_when_load_is_measured() -> None:
    async def story(tonight: Night) -> None:
        text, call = await tonight.text("+13035550142"), await tonight.call("+13035550142")
        heard = await tonight.ear.wait_for(2)
        fates = {one.receipt.provider_ref: one.receipt.fate for one in heard if one.receipt}
        assert fates == {text: Fate.DELIVERED, call: Fate.BUSY}

    night(story, any_number=True)


def test_only_this_machine_is_answered() -> None:
    async def story(tonight: Night) -> None:
        async with aiohttp.ClientSession() as session:
            evil = {"Host": "mallory.example.org"}
            async with session.get(tonight.url + "/state", headers=evil) as response:
                assert response.status == 403
            act = json.dumps({"phone": "Maya", "action": "off"})
            form = {"Content-Type": "text/plain"}
            async with session.post(tonight.url + "/act", data=act, headers=form) as response:
                assert response.status == 415
        assert not tonight.provider.exchange.find("Maya").is_off
        assert tonight.url.startswith("http://127.0.0.1:")

    night(story)


def test_they_exist_in_the_demo_only() -> None:
    for kind in Kind:
        with pytest.raises(RuntimeError, match="only in demo mode"):
            PhonesChannel(kind, "http://127.0.0.1:1", SECRET, demo=False)
    with pytest.raises(ValueError, match="need a secret"):
        Provider(secret="", webhook="", clock=lambda: NOW_MS)


def test_it_runs_as_a_process_of_its_own_and_stops_when_told(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    people = [{"name": "Sam", "number": "(202) 555-0101", "role": "the person"}]
    (tmp_path / "cast.json").write_text(json.dumps(people))
    command = [sys.executable, "-m", "stillhere.sim.phones", "--port", "0"]
    options = ["--secret-file", f"{tmp_path}/secret", "--cast", f"{tmp_path}/cast.json"]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        word, url = process.stdout.readline().split()
        assert word == "phones"

        async def story() -> None:
            channel = PhonesChannel(Kind.TEXT, url, SECRET, demo=True)
            fates = [
                (await channel.send(Outgoing(to, to, "hello"))).fate
                for to in ("+12025550101", "+12025550102")
            ]
            await channel.close()
            assert fates == [Fate.ACCEPTED, Fate.FAILED]

        asyncio.run(story())
        process.terminate()
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
