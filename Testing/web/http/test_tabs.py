"""One tab at a time: a second is told, takes over when asked, and a reload is no second tab."""

import asyncio
import io
import time
from contextlib import asynccontextmanager, suppress

import msgpack
import pytest
from aiohttp import FormData, WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer
from DiffuFuseMedLib.web.http.tabs import Tabs

OTHER = "This case is open in another tab"


@pytest.fixture
def connect(a_host):
    """A function (session): an open websocket that has said hello to wslink, as trame's client does."""

    async def run(session):
        socket = await session.ws_connect("/ws", origin=a_host.url)
        await call(socket, "wslink.hello", [{"secret": "wslink-secret"}], "system:c0:0")
        return socket

    return run


async def call(socket, method, args, rpc_id="rpc:c0:1"):
    """Send one chunk in wslink's framing and return the answer (wslink.chunking: 12 bytes of header)."""
    payload = msgpack.packb({"wslink": "1.0", "id": rpc_id, "method": method, "args": args, "kwargs": {}})
    header = (7).to_bytes(4, "little") + (0).to_bytes(4, "little") + len(payload).to_bytes(4, "little")
    await socket.send_bytes(header + payload)
    message = await socket.receive(timeout=120)
    assert message.type == WSMsgType.BINARY, message
    return msgpack.unpackb(message.data[12:])


async def page(session, path="/", **options):
    async with session.get(path, **options) as answer:
        assert answer.status == 200
        return await answer.text()


def a_file():
    data = FormData(quote_fields=False)
    data.add_field("file", io.BytesIO(b"A"), filename="CT/1.dcm")
    return data


def test_what_the_page_shows_while_it_loads_never_comes_after_the_workspace(a_browser):
    """trame's own page fetches it and puts it in #app whenever it comes: later than the workspace on a busy machine."""

    async def run():
        async with a_browser() as session:
            text = await page(session)
            assert "loading.tpl" not in text
            assert text.index('<div id="app">') < text.index("Loading...") < text.index("</body>")

    asyncio.run(run())


def test_a_second_tab_is_told_and_the_first_goes_on(a_browser, connect):
    async def run():
        async with a_browser() as session:
            assert OTHER not in await page(session)
            first = await connect(session)
            begin = time.monotonic()
            second = await page(session)
            assert OTHER in second and 'href="/?here=1"' in second and "prefers-color-scheme" in second
            assert time.monotonic() - begin > 1.9  # a reload has so long to let go
            assert "result" in await call(first, "trame.state.get", [])
            await first.close()

    asyncio.run(run())


def test_a_second_websocket_is_closed_at_once_with_its_own_code(a_browser, connect):
    async def run():
        async with a_browser() as session:
            first = await connect(session)
            second = await session.ws_connect("/ws", origin=str(session._base_url).rstrip("/"))
            message = await second.receive(timeout=120)
            assert (message.type, second.close_code) == (WSMsgType.CLOSE, 4002)
            assert "result" in await call(first, "trame.state.get", [])
            await first.close()

    asyncio.run(run())


def test_use_it_here_closes_the_first_tab_and_lets_the_second_in(a_browser, connect):
    async def run():
        async with a_browser() as session:
            first = await connect(session)
            listening = asyncio.ensure_future(first.receive(timeout=120))
            assert OTHER not in await page(session, "/?here=1")
            assert (await listening).type == WSMsgType.CLOSE and first.close_code == 4001
            second = await connect(session)
            assert "result" in await call(second, "trame.state.get", [])
            await second.close()

    asyncio.run(run())


def test_a_tab_that_no_longer_answers_is_taken_over_too(a_browser, connect):
    """Asleep: it never reads, so it never answers the closing either."""

    async def run():
        async with a_browser() as session, a_browser() as awake:
            await connect(session)
            assert OTHER not in await page(awake, "/?here=1")
            second = await connect(awake)
            assert "result" in await call(second, "trame.state.get", [])
            await second.close()

    asyncio.run(run())


@asynccontextmanager
async def a_stalled_host(wait_s):
    """Tabs before a websocket whose server never comes to an end with the first message that it gets, nor with that of
    a client that is gone."""
    tabs, never = Tabs(wait_s), asyncio.Event()

    async def stall(request):
        socket = web.WebSocketResponse(autoclose=False)
        await socket.prepare(request)
        async for _ in socket:
            await socket.send_str("taken")
            with suppress(asyncio.CancelledError):
                await never.wait()
            await never.wait()
        return socket

    app = web.Application(middlewares=[tabs.middleware])
    app.on_response_prepare.append(tabs.remember_socket)
    app.router.add_get("/ws", stall)
    async with TestClient(TestServer(app)) as client:
        yield tabs, client, never.set
        never.set()


def test_a_tab_whose_server_stalled_is_taken_over_at_once():
    async def run():
        async with a_stalled_host(wait_s=600) as (tabs, client, _):
            first = await client.ws_connect("/ws")
            await first.send_str("a")
            await first.receive()
            tabs.take_over()
            assert not tabs.is_held
            second = await asyncio.wait_for(client.ws_connect("/ws"), 10)
            await second.send_str("b")
            assert (await asyncio.wait_for(second.receive(), 10)).data == "taken"
            assert tabs.is_held
            assert (await asyncio.wait_for(first.receive(), 10)).type == WSMsgType.CLOSE
            assert first.close_code == 4001

    asyncio.run(run())


def test_a_tab_that_lost_its_connection_holds_nothing_though_the_server_is_not_done_with_it():
    async def run():
        async with a_stalled_host(wait_s=600) as (tabs, client, _):
            first = await client.ws_connect("/ws")
            await first.send_str("a")
            await first.receive()
            first._response.connection.transport.abort()
            await asyncio.sleep(0.05)
            assert tabs.is_held
            second = await asyncio.wait_for(client.ws_connect("/ws"), 10)
            await second.send_str("b")
            assert (await asyncio.wait_for(second.receive(), 10)).data == "taken"

    asyncio.run(run())


def test_the_end_of_a_tab_that_was_taken_over_does_not_free_the_one_after_it():
    async def run():
        async with a_stalled_host(wait_s=0.1) as (tabs, client, let_go):
            first = await client.ws_connect("/ws")
            await first.send_str("a")
            await first.receive()
            tabs.take_over()
            second = await client.ws_connect("/ws")
            let_go()
            await asyncio.sleep(0.3)  # the server has come to the end of the first
            assert tabs.is_held
            third = await client.ws_connect("/ws")
            await third.receive()
            assert third.close_code == 4002
            await second.close()

    asyncio.run(run())


def test_a_reload_waits_for_its_own_websocket_to_close(a_browser, connect):
    async def run():
        async with a_browser() as session:
            first = await connect(session)
            reloaded = asyncio.ensure_future(page(session))
            await asyncio.sleep(0.7)
            assert not reloaded.done()
            await first.close()
            assert OTHER not in await asyncio.wait_for(reloaded, 1)
            again = await connect(session)
            await again.close()

    asyncio.run(run())


def test_a_page_whose_reader_was_asked_whether_to_leave_is_shown_again_and_goes_on_where_it_is_kept(a_browser, connect):
    """A reload with unsaved corrections: the browser asks, and the old page's websocket is open until the new one is
    there; whoever else takes the page meanwhile is told over the websocket."""

    async def run():
        async with a_browser() as session:
            first = await connect(session)
            own = {"Origin": str(session._base_url).rstrip("/")}
            async with session.post("/tab/leaving", headers=own) as answer:
                assert answer.status == 204
            assert OTHER not in await page(session)
            second = await session.ws_connect("/ws", origin=own["Origin"])
            await second.receive(timeout=120)
            assert second.close_code == 4002
            assert "result" in await call(first, "trame.state.get", [])
            assert OTHER in await page(session)  # once for each time that it was asked
            await first.close()
            async with session.post("/tab/leaving") as answer:
                assert answer.status == 403  # of no page of ours

    asyncio.run(run())


def test_the_pages_of_both_ends_have_the_button(a_browser):
    async def run():
        async with a_browser() as session:
            assert "was taken over by another tab" in await page(session, "/tab/taken")
            assert OTHER in await page(session, "/tab/elsewhere")
            assert 'href="/?here=1"' in await page(session, "/tab/taken")

    asyncio.run(run())


def test_a_file_is_offered_once_under_its_name(a_browser, connect):
    async def run():
        async with a_browser() as session, a_browser(entered=False) as stranger:
            socket = await connect(session)
            state = (await call(socket, "trame.state.get", []))["result"]["state"]
            async with stranger.get(state["offered"]) as answer:
                assert answer.status == 403
            async with session.head(state["offered"]) as answer:
                assert answer.status == 404  # asking about it does not use it up
            async with session.get(state["offered"]) as answer:
                assert (answer.status, await answer.read()) == (200, b"scene")
                assert answer.headers["Content-Type"] == "application/octet-stream"
                disposition = answer.headers["Content-Disposition"]
                assert (
                    disposition.startswith("attachment;")
                    and answer.content_disposition.filename == "scene of today.mrb"
                )
            async with session.get(state["offered"]) as answer:
                assert answer.status == 404
            await socket.close()

    asyncio.run(run())


def test_an_upload_needs_the_cookie_and_our_origin(a_host, a_browser):
    async def run():
        async with a_browser() as session, a_browser(entered=False) as stranger:
            own = {"Origin": a_host.url}
            for client, headers in ((stranger, own), (session, {}), (session, {"Origin": "http://evil.example"})):
                async with client.post("/upload", data=a_file(), headers=headers) as answer:
                    assert answer.status == 403
            async with session.post("/upload", data=a_file(), headers=own) as answer:
                assert (await answer.json())["files"] == ["CT/1.dcm"]

    asyncio.run(run())
