"""Where the server listens and what it prints."""

import re
import socket

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.web.http import Binding, free_port
from DiffuFuseMedLib.web.http.token import is_same

GOOD = "b3Rlbl9hbmRfbG9uZ19lbm91Z2g"


def test_by_default_only_this_computer_reaches_it():
    binding = Binding()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}", binding.address)
    assert binding.is_loopback and binding.warning is None


def test_token_and_cookie_are_new_at_each_start():
    ones, others = Binding(), Binding()
    assert len({ones.token, ones.cookie, others.token, others.cookie}) == 4


def test_another_host_works_when_told_and_comes_with_a_warning():
    binding = Binding("0.0.0.0", token=GOOD)
    assert binding.address == f"http://{socket.gethostname()}:{binding.port}/?token={GOOD}"
    assert "Other computers can reach" in binding.warning and binding.warning.count(".") == 4  # three in 0.0.0.0
    assert not binding.is_loopback
    assert len(Binding("0.0.0.0").token) == 43


@pytest.mark.parametrize("token", ["", "short", "a" * 40, "abab" * 10, "with spaces, ümlauts, long enough", "é" * 30])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_token_that_can_be_guessed_is_refused_and_not_repeated(host, token):
    with pytest.raises(InputError, match="wanted") as refusal:
        Binding(host, token=token)
    assert not token or token not in str(refusal.value)


def test_a_taken_port_is_one_clear_sentence():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port}, which another program uses, wanted a free one"):
            Binding(port=port)
        assert free_port() != port
    assert Binding(port=port).port == port


@pytest.mark.parametrize("port", [-1, 65536, 10**9])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(InputError, match="from 1 to 65535"):
        Binding(port=port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "a" * 300, "host.invalid"])
def test_a_host_that_is_not_this_computer_is_refused(host):
    with pytest.raises(InputError, match="cannot listen"):
        Binding(host)


def test_an_address_of_ipv6_is_put_in_brackets():
    try:
        binding = Binding("::1")
    except InputError:
        pytest.skip("this computer has no IPv6")
    assert binding.address.startswith(f"http://[::1]:{binding.port}/") and binding.is_loopback


@pytest.mark.parametrize(("given", "same"), [(GOOD, 1), (GOOD[:-1], 0), ("", 0), (None, 0), ("é", 0)])
def test_secrets_are_compared_whole(given, same):
    assert is_same(given, GOOD) is bool(same)


def test_a_lone_surrogate_is_no_crash():
    assert not is_same("\udcff", GOOD)
