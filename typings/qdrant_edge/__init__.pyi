from typing import Any

# The benches' peer, which is installed for them alone.
def __getattr__(name: str) -> Any: ...
