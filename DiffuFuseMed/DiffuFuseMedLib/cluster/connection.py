"""Ray, where it is installed: a cluster that is joined, or one on this machine that goes when the work is done."""

from __future__ import annotations

import importlib.util
import logging
import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from ..core.errors import input_error
from ..core.parallel import processors
from ..core.private_folder import PrivateFolder

LOCAL, AUTO = "local", "auto"
PATIENCE_S = 10.0  # for an address to answer
STORE_BYTES = 80 * 2**20  # no images go through it
# Nothing is told to Ray's makers; processors only are no GPU's business.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
# Ray's word for "bind to the loopback address", read when it is imported; without, it listens on every interface.
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


def check_ray() -> None:
    """Raises InputError where Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        remedy = "run pip install 'DiffuFuseMedLib[cluster]' here and on every node"
        raise input_error("--cluster without Ray", "the library ray, which one machine alone does not need", remedy)


@contextmanager
def joined(address: str) -> Iterator[Any]:
    """The module ray, connected: to the cluster at HOST:PORT ("auto": the one that this machine is a node of), or to
    one that is started here, "local".

    A local one listens on the loopback address alone, asks each connection for a token, keeps its files in a folder
    that is removed, and ends with the block. Raises InputError for a cluster that cannot be joined.
    """
    check_ray()
    if address == LOCAL:
        with _started() as ray:
            yield ray
        return
    _check_address(address)
    with _environment(QUIET):
        import ray

        try:
            _connect(ray, address=address)
            yield ray
        finally:
            ray.shutdown()


@contextmanager
def _started() -> Iterator[Any]:
    if "ray" in sys.modules and not _token.cache_info().currsize:  # it reads LOOPBACK and the token's mode only once
        remedy = "let nothing import ray before, or start a cluster yourself and give its address"
        raise input_error("a Ray that was imported to listen to the network", "one on this machine alone", remedy)
    secret = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _token()}
    with _environment(QUIET | LOOPBACK | secret), PrivateFolder("diffufusemed-ray-") as private:
        import ray

        options = {"num_cpus": processors(), "object_store_memory": STORE_BYTES, "_temp_dir": str(private.path)}
        try:
            _connect(ray, address=LOCAL, include_dashboard=False, _node_ip_address="127.0.0.1", **options)
            yield ray
        finally:
            ray.shutdown()


def _connect(ray: Any, **options: Any) -> None:
    try:
        ray.init(log_to_driver=False, configure_logging=True, logging_level=logging.ERROR, **options)
    except (ray.exceptions.RayError, RuntimeError, ValueError, OSError) as error:
        words = " ".join(str(error).split())[:300]
        remedy = "run this on a node of it, with the Ray and Python that it has"
        raise input_error(f"the cluster {options['address']} ({words})", "one that can be joined", remedy) from error


@cache
def _token() -> str:
    """What whoever connects to this process's local Ray has to show; Ray keeps the first one."""
    return secrets.token_hex(32)


def _check_address(address: str) -> None:
    """Raises InputError for what is no address of a cluster, or one where nobody answers: Ray would try for minutes."""
    if address == AUTO:
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        wanted = "HOST:PORT as ray start told it, such as 10.0.0.1:6379, auto, or local"
        raise input_error(f"the cluster {address!r}", wanted, "correct --cluster")
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE_S).close()
    except (OSError, OverflowError) as error:
        remedy = "look whether its head runs (ray status) and lets this machine in"
        raise input_error(f"the cluster {address}, which does not answer", "one that runs", remedy) from error


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """These variables are set for the block, for this process and what it starts."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
