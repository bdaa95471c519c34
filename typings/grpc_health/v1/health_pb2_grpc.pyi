from typing import Any

HealthStub: Any

def add_HealthServicer_to_server(servicer: Any, server: Any) -> None: ...  # noqa: N802
