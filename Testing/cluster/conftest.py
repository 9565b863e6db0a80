"""A real cluster of two nodes on this machine, started once, with one core each; skipped where Ray is not installed."""

import importlib.util
import os
import secrets
import tempfile
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
STORE_BYTES = 80 * 2**20
SYSTEM = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 4}
OF_RAY = ("raylet", "gcs_server", "ray::")


def processes_of_ray():
    """Those that this process started and that run still."""
    children = psutil.Process().children(recursive=True)
    return [p.name() for p in children if p.is_running() and p.name().startswith(OF_RAY)]


@pytest.fixture(scope="package")
def cluster():
    """ray.cluster_utils.Cluster; .address joins it, .add() adds a node of one core and returns it."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("ray is not installed: pip install 'DiffuFuseMedLib[cluster]'")
    from DiffuFuseMedLib.cluster.connection import LOOPBACK, QUIET

    path = os.pathsep.join([str(ROOT), str(ROOT / "DiffuFuseMed")])
    secret = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(16)}
    others = {"PYTHONPATH": path, "RAY_memory_monitor_refresh_ms": "0", "OMP_NUM_THREADS": "1"}
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="dfm-") as folder:
        for name, value in {**QUIET, **LOOPBACK, **secret, **others, "RAY_TMPDIR": folder}.items():
            patch.setenv(name, value)
        import ray  # reads them, once
        from ray.cluster_utils import Cluster

        node = {"num_cpus": 1, "num_gpus": 0, "object_store_memory": STORE_BYTES}
        head = {**node, "include_dashboard": False, "_system_config": SYSTEM}
        made = Cluster(initialize_head=True, head_node_args=head)
        try:
            made.add = lambda: made.add_node(**node)
            made.add()
            yield made
        finally:
            ray.shutdown()
            made.shutdown()
            assert processes_of_ray() == []
