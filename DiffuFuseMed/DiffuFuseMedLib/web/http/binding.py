"""Where the server listens, and the address with its token that opens it."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from typing import Any

from ...core.errors import InputError, input_error
from .token import checked_token, new_token

LOOPBACK = "127.0.0.1"
_Place = tuple[socket.AddressFamily, tuple]


class Binding:
    """A host and a port to listen on, the token that lets a browser in and the cookie that it is exchanged for."""

    def __init__(self, host: str = LOOPBACK, port: int = 0, token: str | None = None) -> None:
        """Only this computer can reach the default host. port: 0 takes a free one. token: default a random one, new
        at each start. Raises InputError for a host or port that cannot be used and for a token that is easy to guess.
        """
        self.host = host
        self._places = _places_of(host)
        self.port = _checked_port(self._places, port) if port else free_port(host)
        self.token = new_token() if token is None else checked_token(token)
        self.cookie = new_token()
        self.cookie_name = f"diffufusemed-{self.port}"  # cookies do not tell ports apart

    @property
    def is_loopback(self) -> bool:
        """Whether no other computer can reach it."""
        return all(ipaddress.ip_address(place[0]).is_loopback for _, place in self._places)

    @property
    def is_wildcard(self) -> bool:
        """Whether it listens on every network of this computer."""
        return any(ipaddress.ip_address(place[0]).is_unspecified for _, place in self._places)

    @property
    def address(self) -> str:
        """What to open in a browser, on one line: http://host:port/?token=..."""
        host = socket.gethostname() if self.is_wildcard else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/?token={self.token}"

    @property
    def warning(self) -> str | None:
        """One sentence to show when other computers can reach the server, else None."""
        if self.is_loopback:
            return None
        return (
            f"Other computers can reach this server at {self.host}, what it shows travels unencrypted, and whoever "
            "has the address with its token can see and change the case: use it on a trusted network only."
        )


def free_port(host: str = LOOPBACK) -> int:
    """A port of this host on which nothing listens now."""
    family, place = _places_of(host)[0]
    try:
        return _tried(family, (place[0], 0, *place[2:]))
    except OSError as error:
        raise _unusable(host, error) from error


def _places_of(host: str) -> list[_Place]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise _unusable(host, error) from error
    return [(family, place) for family, _, _, _, place in found]


def _checked_port(places: list[_Place], port: int) -> int:
    if not 0 < port < 65536:
        raise input_error(f"port {port}", "one from 1 to 65535", "choose such a port or leave it out to get a free one")
    for family, place in places:
        try:
            _tried(family, (place[0], port, *place[2:]))
        except OSError as error:
            raise _unusable_port(place[0], port, error) from error
    return port


def _tried(family: socket.AddressFamily, place: tuple[Any, ...]) -> int:
    """Bind as the server will, and let go again; returns the port."""
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        if os.name == "posix":  # else a server that has just ended would block its port for a minute
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trial.bind(place)
        return trial.getsockname()[1]


def _unusable(host: str, error: Exception) -> InputError:
    given = f"the host {host!r}, on which this computer cannot listen ({_reason(error)})"
    return input_error(given, f"a name or address of this computer, such as {LOOPBACK}", "give another or leave it out")


def _unusable_port(host: str, port: int, error: OSError) -> InputError:
    if error.errno == errno.EADDRNOTAVAIL:
        return _unusable(host, error)
    given = f"port {port}, which another program uses" if error.errno == errno.EADDRINUSE else f"port {port}"
    given += "" if error.errno == errno.EADDRINUSE else f", which cannot be used ({_reason(error)})"
    return input_error(given, "a free one", "stop that program, choose another port or leave it out to get a free one")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
