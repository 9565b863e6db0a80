"""What is anybody's to send, or the end of a page, is not in the log; a fault of the program is."""

import logging

import pytest
from aiohttp.http_exceptions import BadStatusLine, LineTooLong
from DiffuFuseMedLib.web.page_log import TELLERS, forgive_gone_pages


@pytest.fixture(autouse=True)
def forgiving():
    before = {name: list(logging.getLogger(name).filters) for name in TELLERS}
    forgive_gone_pages()
    yield
    for name, filters in before.items():
        logging.getLogger(name).filters[:] = filters


def told(caplog, error):
    with caplog.at_level(logging.ERROR):
        try:
            raise error
        except type(error):
            logging.getLogger("aiohttp.server").exception("Error handling request")
    return caplog.text


@pytest.mark.parametrize(
    "error", [LineTooLong(b"GET /?token=secret", 8190), BadStatusLine("secret"), ConnectionResetError("secret")]
)
def test_what_is_no_request_and_who_is_gone_fill_no_log(caplog, error):
    assert told(caplog, error) == ""


def test_a_fault_of_the_program_is_told(caplog):
    assert "ZeroDivisionError" in told(caplog, ZeroDivisionError("a fault"))
