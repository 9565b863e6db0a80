"""Nothing is served without the cookie, and the cookie is given for the token only."""

import asyncio
import re

import pytest
from aiohttp import ClientSession, WSServerHandshakeError

STATIC = ("/vue.global.js", "/logo.png", "/loading.tpl", "/index.html", "/tab/taken", "/nowhere", "/upload")


@pytest.fixture
def get(a_host):
    """A function (path, headers): status, headers and text of an answer to a client without cookies."""

    def fetch(path, method="GET", **headers):
        async def run():
            async with (
                ClientSession(a_host.url) as session,
                session.request(method, path, headers=headers, allow_redirects=False) as answer,
            ):
                return answer.status, answer.headers, await answer.text()

        return asyncio.run(run())

    return fetch


@pytest.fixture
def cookie(get, a_host):
    return get(f"/?token={a_host.token}")[1]["Set-Cookie"].split(";")[0]


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=wrong", "/?token=%C3%A9%FF", "/?here=1", *STATIC])
def test_without_the_right_token_there_is_one_readable_sentence(get, path):
    status, headers, text = get(path)
    assert status == 403
    assert "Set-Cookie" not in headers
    sentence = re.search("<p>(.*?)</p>", text)[1]
    assert sentence.startswith("Given a") and "wanted" in sentence and sentence.endswith("?token=....")
    assert "prefers-color-scheme: dark" in text
    assert "http" not in text.replace("http-equiv", "")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_no_method_comes_in_without_the_cookie(get, method):
    assert get("/", method)[0] == 403


def test_the_token_is_exchanged_for_a_cookie_and_leaves_the_address(get, a_host):
    status, headers, text = get(f"/?token={a_host.token}")
    assert (status, headers["Location"], text) == (303, "/", "")
    assert re.search("; HttpOnly", headers["Set-Cookie"]) and "; SameSite=Strict" in headers["Set-Cookie"]
    assert "; Path=/" in headers["Set-Cookie"] and "Domain" not in headers["Set-Cookie"]
    assert a_host.token not in str(headers)
    assert headers["Cache-Control"] == "no-store"


def test_a_link_on_another_site_is_bounced_from_our_own_page(get, a_host):
    """A redirect would arrive without the SameSite=Strict cookie."""
    status, headers, text = get(f"/?token={a_host.token}", **{"Sec-Fetch-Site": "cross-site"})
    assert status == 200 and 'location.replace("/")' in text and "Set-Cookie" in headers


@pytest.mark.parametrize("path", ["/", "/vue.global.js", "/assets/"])
def test_with_the_cookie_the_page_and_its_files_come(get, cookie, path):
    assert get(path, Cookie=cookie)[0] == (200 if path != "/assets/" else 403)


def test_a_token_anywhere_but_in_the_address_counts_nothing(get, a_host, cookie):
    assert get("/", Cookie=cookie.split("=")[0] + "=" + a_host.token)[0] == 403
    assert get(f"/vue.global.js?token={a_host.token}")[0] == 403
    assert get("/", "POST", Authorization=f"Bearer {a_host.token}")[0] == 403


@pytest.mark.parametrize("query", ["sessionURL=ws://evil.example/ws", "secret=x", "reconnect=auto", "ui=other"])
def test_no_option_of_trames_client_is_left_in_the_address(get, cookie, query):
    status, headers, _ = get(f"/?{query}", Cookie=cookie)
    assert (status, headers["Location"]) == (303, "/")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "0.0.0.0", "127.0.0.1; script-src *", ""]
)
def test_another_hosts_name_is_refused_against_dns_rebinding(get, a_host, cookie, host):
    assert get("/", Cookie=cookie, Host=host)[0] in (400, 403)
    assert get(f"/?token={a_host.token}", Host=host)[0] in (400, 403)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9000", "LOCALHOST:1", "[::1]:80"])
def test_loopback_names_are_welcome(get, cookie, host):
    """The port may be another one: that of a tunnel."""
    status, headers, _ = get("/", Cookie=cookie, Host=host)
    assert status == 200
    assert f"connect-src 'self' ws://{host} wss://{host};" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1"])
def test_what_changes_something_must_come_from_our_own_page(get, a_host, cookie, origin):
    headers = {"Cookie": cookie, **({"Origin": origin} if origin else {})}
    assert get("/paraview/", "POST", **headers)[0] == 403
    own = get("/paraview/", "POST", Cookie=cookie, Origin=a_host.url)
    assert own[0] == 200 and a_host.url.replace("http", "ws") + "/ws" in own[2]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_sites_page_can_neither_read_nor_take_over(get, cookie, site):
    """Another port of this computer is "same-site": its requests carry the cookie."""
    image = {"Cookie": cookie, "Sec-Fetch-Site": site, "Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"}
    link = {**image, "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
    assert [get(path, **image)[0] for path in ("/", "/logo.png", "/?here=1")] == [403, 403, 403]
    assert [get(path, **link)[0] for path in ("/", "/download/x", "/?here=1")] == [200, 403, 403]


@pytest.mark.parametrize("path", ["/", "/vue.global.js", "/nowhere", "/download/x"])
def test_every_answer_carries_the_headers(get, cookie, path):
    for headers in (get(path, Cookie=cookie)[1], get(path)[1]):
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self';" in policy and "frame-ancestors 'none'" in policy
        assert "*" not in policy and "http" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == ("private, no-cache" if path.endswith(".js") else "no-store")


@pytest.mark.parametrize(
    ("entered", "origin", "host"),
    [
        (False, "own", None),
        (True, None, None),
        (True, "http://evil.example", None),
        (True, "http://127.0.0.1:1", None),
        (True, "http://evil.example", "evil.example"),
    ],
)
def test_a_websocket_needs_the_cookie_our_origin_and_our_host(a_host, a_browser, entered, origin, host):
    headers = {"Origin": a_host.url if origin == "own" else origin, "Host": host}

    async def run():
        async with a_browser(entered) as session:
            with pytest.raises(WSServerHandshakeError) as refusal:
                await session.ws_connect("/ws", headers={k: v for k, v in headers.items() if v})
            assert refusal.value.status == 403

    asyncio.run(run())


def test_neither_token_nor_cookie_is_logged_and_the_end_leaves_nothing(tmp_path, another_host):
    async def visit(host):
        async with ClientSession(host.url) as session, session.get("/", params={"token": host.token}) as answer:
            return answer.history[0].cookies

    with another_host() as host:
        cookies = asyncio.run(visit(host))
        host.process.terminate()
        output = host.process.communicate(timeout=120)[1]
    assert "aiohttp.access" not in output
    assert host.token not in output
    assert not [morsel.value for morsel in cookies.values() if morsel.value in output]
    assert list(tmp_path.iterdir()) == []  # SIGTERM: the session's folder is gone
