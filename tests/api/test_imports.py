import subprocess
import sys


def test_workers_do_without_the_state() -> None:
    code = "import sys, compose.api.worker; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "projector.view.shard_view" in loaded
    assert not loaded & {"rocksdict", "projector.state.kv", "projector.state.store"}
