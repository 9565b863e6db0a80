"""Ray is told of when it is missing, an address that leads nowhere is refused, and a local Ray keeps to itself."""

import importlib.util
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from DiffuFuseMedLib.cluster import connection
from DiffuFuseMedLib.cluster.connection import joined
from DiffuFuseMedLib.core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
# found, not imported: Ray reads once how it shall listen
WITH_RAY = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed")


def test_without_ray_one_sentence_names_the_command(monkeypatch):
    monkeypatch.setattr(connection.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'DiffuFuseMedLib\[cluster\]'"), joined("local"):
        pass


@pytest.mark.parametrize("address", ["somewhere", "ray://head:10001", "head:port", ":6379"])
@WITH_RAY
def test_what_is_no_address_is_refused(address):
    with pytest.raises(InputError, match="wanted HOST:PORT"), joined(address):
        pass


@WITH_RAY
def test_an_address_where_nobody_answers_is_refused_at_once():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(InputError, match="does not answer"), joined(address):
            pass


LOCAL = """
    import os, tempfile, warnings
    from pathlib import Path
    import psutil
    warnings.simplefilter("error")
    from DiffuFuseMedLib.cluster.connection import joined
    def ours():
        return [psutil.Process(), *psutil.Process().children(recursive=True)]
    with joined("local") as ray:
        ports = [c.laddr.ip for p in ours() for c in p.net_connections() if c.status == "LISTEN"]
        assert len(ports) >= 4, ports
        assert {ip.removeprefix("::ffff:") for ip in ports} == {"127.0.0.1"}, ports
        assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
        from ray._common.usage.usage_lib import usage_stats_enabled
        assert not usage_stats_enabled()
        from ray._private.authentication.authentication_utils import is_token_auth_enabled
        assert is_token_auth_enabled()
    assert "RAY_AUTH_TOKEN" not in os.environ
    assert ours()[1:] == [], ours()
    assert not list(Path(tempfile.gettempdir()).iterdir())
    assert not (Path.home() / ".ray").exists()
    print("all of it")
"""


@WITH_RAY
def test_a_local_ray_listens_to_this_machine_alone_tells_nobody_and_leaves_nothing(tmp_path):
    here = {"HOME": str(tmp_path), "TMPDIR": f"/tmp/{tmp_path.name[-8:]}-{os.getpid()}"}
    outside = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}  # of the other tests
    Path(here["TMPDIR"]).mkdir()
    try:
        told = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(LOCAL)],
            env={**outside, **here, "PYTHONPATH": str(ROOT / "DiffuFuseMed")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert told.stdout == "all of it\n", told.stderr
    finally:
        Path(here["TMPDIR"]).rmdir()
