"""Those who come without the token do not keep the reader out."""

import asyncio
import resource
import socket
from contextlib import asynccontextmanager, contextmanager, suppress

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from DiffuFuseMedLib.web.http import Binding
from DiffuFuseMedLib.web.http import doorman as d
from DiffuFuseMedLib.web.http.guard import Guard

HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: "


@contextmanager
def files_at_most(count):
    """How many files a process may have open, those that are started meanwhile too."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[1], count), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextmanager
def half_requests(port, count):
    """So many connections on which a request has begun and does not end."""
    sockets = []
    with files_at_most(count + 1000):
        try:
            for _ in range(count):
                sockets.append(socket.create_connection(("127.0.0.1", port), timeout=20))
                with suppress(ConnectionError):
                    sockets[-1].sendall(HALF)
            yield sockets
        finally:
            for one in sockets:
                one.close()


def test_a_reader_gets_in_past_a_thousand_half_requests(another_host):
    with files_at_most(1024), another_host() as host:

        async def visit():
            browser = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
            async with browser, asyncio.timeout(20), browser.get(host.address) as answer:
                return answer.status

        with half_requests(int(host.url.rsplit(":", 1)[1]), 1100):
            assert asyncio.run(visit()) == 200


@asynccontextmanager
async def a_door(wait_s, most):
    """A server with a doorman that admits /in; gives its port."""
    app = web.Application()
    runner = web.AppRunner(app)
    doorman = d.Doorman(lambda: runner, wait_s, most)
    app.cleanup_ctx.append(doorman.at_work)

    async def enter(request):
        doorman.admit(request)
        return web.Response(text=str(request.transport.get_extra_info("peername")))

    app.router.add_get("/in", enter)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def closed(reader):
    """Whether the other side closes it, however it does."""
    try:
        async with asyncio.timeout(10):
            return await reader.read() == b""
    except ConnectionError:
        return True


def test_who_shows_no_token_in_time_has_to_go_and_who_did_may_stay():
    async def visit():
        async with a_door(wait_s=0.2, most=5) as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            async with session.get("/in") as answer:
                first = await answer.text()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HALF)
            assert await closed(reader)
            writer.close()
            async with session.get("/in") as answer:
                assert await answer.text() == first  # over the same connection

    asyncio.run(visit())


def test_of_too_many_the_first_have_to_go_first():
    async def visit():
        async with a_door(wait_s=60, most=2) as port:
            opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
            assert await closed(opened[0][0])
            opened += [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
            assert await closed(opened[1][0]) and await closed(opened[2][0])
            assert not any(reader.at_eof() for reader, _ in opened[3:])
            for _, writer in opened:
                writer.close()

    asyncio.run(visit())


@pytest.mark.filterwarnings("ignore:It is recommended to use web.RequestKey")
def test_who_has_the_cookie_is_let_in_and_nobody_else():
    async def visit():
        binding, admitted = Binding(), []
        app = web.Application(middlewares=[Guard(binding, admitted.append).middleware])
        app.router.add_get("/", enter)
        async with TestClient(TestServer(app)) as visitor:
            assert (await visitor.get("/")).status == 403
            assert (await visitor.get("/", params={"token": "a" * 43})).status == 403
            assert admitted == []
            assert (await visitor.get("/", params={"token": binding.token})).status == 200
            assert len(admitted) == 1  # the second request, with the cookie

    async def enter(_):
        return web.Response()

    asyncio.run(visit())
