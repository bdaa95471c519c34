"""Whether the event loops of the processes under test were held up: /metrics says how long at most."""

import re

from tests.crash.client_thread import CrashError
from tests.support.http import Http
from tests.support.server import HeadwaterProcess

MOST_SECONDS = 1.0
"""Nothing may hold a loop for more than 50 ms, on a machine that does nothing else. Here clients, builds and checks
want the same processors; what a process waited for one isn't counted, but its threads wait for each other, too."""

_LONGEST = re.compile(rb"^headwater_loop_stall_seconds(?:\{[^}]*\})? (\S+)$", re.MULTILINE)


def check_stalls(process: HeadwaterProcess) -> float:
    """The longest stall of late. Raises CrashError when it was too long, or isn't told."""
    with Http(process.port) as http:
        found = [float(text) for text in _LONGEST.findall(http.get("/metrics").body)]
    if not found:
        raise CrashError(f"{process.url}/metrics doesn't say how long its event loop was held up")
    if max(found) > MOST_SECONDS:
        said = [line for line in process.last_output(100_000).splitlines() if "held up" in line]
        raise CrashError(f"{process.url}: its event loop was held up for {max(found):.2f} s\n" + "\n".join(said[-3:]))
    return max(found)
