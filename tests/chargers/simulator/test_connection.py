import asyncio
import socket

import pytest

from chargers.simulator.connection import NotLetIn
from chargers.simulator.station import SimulatedStation
from tests.chargers.simulator.csms import Csms, until
from tests.chargers.simulator.scene import charging, run


def refusal(url):
    with pytest.raises(NotLetIn) as refused:
        asyncio.run(SimulatedStation("CP 1", url).run())
    text = str(refused.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:9000", "is not a websocket address"),
        ("127.0.0.1:9000", "is not a websocket address"),
        ("ws://", "is not a websocket address"),
        ("ws://127.0.0.1:99999", "is not a websocket address"),
        ("ws://a..b:9000", "is not a websocket address"),
        ("ws://nowhere.invalid:9000", "can't be reached"),
    ],
)
def test_says_what_is_wrong_with_an_address(url, reason):
    assert reason in refusal(url)


def test_says_that_nothing_listens():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

        assert f"Nothing listens at ws://127.0.0.1:{port}/CP%201" in refusal(f"ws://127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "The server refused the password of CP 1 (HTTP 401)."),
        (404, "The server knows no charger CP 1 (HTTP 404)."),
        (503, "The server answered HTTP 503."),
    ],
)
def test_says_why_the_server_did_not_let_it_in(status, reason):
    async def scene():
        async with Csms(http_status=status).open() as csms:
            with pytest.raises(NotLetIn) as refused:
                await SimulatedStation("CP 1", csms.url).run()
            assert str(refused.value) == reason

    asyncio.run(scene())


def test_says_that_the_server_does_not_speak_its_version():
    async def scene():
        async with Csms().open(subprotocols=None) as csms:
            with pytest.raises(NotLetIn, match=r"does not speak ocpp1\.6"):
                await SimulatedStation("CP 1", csms.url).run()

    asyncio.run(scene())


def test_says_that_it_is_no_websocket_server():
    async def scene():
        async def chat(reader, writer):
            writer.write(b"220 mail ready\r\n")
            writer.close()

        async with await asyncio.start_server(chat, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(NotLetIn, match="is not a websocket server"):
                await SimulatedStation("CP 1", f"ws://127.0.0.1:{port}").run()

    asyncio.run(scene())


def test_shows_its_password():
    async def scenario(csms):
        async with charging(csms, password="s3cret"):
            assert csms.headers == [("/CP1", "Basic Q1AxOnMzY3JldA==")]

    run(scenario)


def test_tries_again_with_growing_pauses():
    async def scenario(csms):
        async with charging(csms) as events:
            csms.http_status = 503
            await csms.sockets[0].close()
            await until(lambda: len(events.of("lost")) == 3)
            assert [event["pause_s"] for event in events.of("lost")] == [0.02, 0.04, 0.08]
            csms.http_status = None
            await until(lambda: len(events.of("connected")) == 2)

    run(scenario)
