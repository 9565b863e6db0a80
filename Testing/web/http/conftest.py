"""A trame server behind the HTTP layer, in a process of its own, and clients that act like a browser."""

import json
import os
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from DiffuFuseMedLib.web.http import Limits, Uploads

HOST = Path(__file__).with_name("trivial_host.py")


@contextmanager
def host_process(folder, **limits):
    """Start the host; yields its printed address, that without the token, its token, its folder and its process."""
    command = [sys.executable, HOST, folder, json.dumps(limits)]
    path = os.pathsep.join(p for p in sys.path if p)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, **pipes) as process:
        try:
            address = process.stdout.readline().strip()
            assert address, process.stderr.read()
            url, token = address.split("/?token=")
            yield SimpleNamespace(address=address, url=url, token=token, folder=folder, process=process)
        finally:
            process.terminate()
            process.communicate(timeout=120)


@pytest.fixture
def a_patient_host(tmp_path, monkeypatch):
    """One whose newcomers wait for the tab before them as long as no test does: nothing works by that wait alone."""
    monkeypatch.setenv("TAB_WAIT_S", "600")
    with host_process(tmp_path) as host:
        yield host


@pytest.fixture(scope="module")
def a_host(tmp_path_factory):
    """One for all tests of a file."""
    with host_process(tmp_path_factory.mktemp("host")) as host:
        yield host


@pytest.fixture
def another_host(tmp_path):
    """A function (limits): a context of a host in tmp_path."""
    return lambda **limits: host_process(tmp_path, **limits)


@pytest.fixture
def a_browser(a_host):
    """A function: a client session with cookies; with the cookie of the host in it unless told otherwise."""

    @asynccontextmanager
    async def open_browser(entered=True, **options):
        async with aiohttp.ClientSession(a_host.url, cookie_jar=aiohttp.CookieJar(unsafe=True), **options) as session:
            if entered:
                async with session.get("/", params={"token": a_host.token}, allow_redirects=False) as answer:
                    assert answer.status == 303
            yield session

    return open_browser


@pytest.fixture
def uploading(tmp_path):
    """A function (limits): an async context of a client that may POST /upload and the Uploads behind it."""

    @asynccontextmanager
    async def serve(**limits):
        uploads = Uploads(tmp_path, Limits(**limits))
        app = web.Application()
        app.router.add_routes(uploads.routes())
        try:
            async with TestClient(TestServer(app)) as visitor:
                yield visitor, uploads
        finally:
            uploads.remove()
            assert list(tmp_path.iterdir()) == []

    return serve
