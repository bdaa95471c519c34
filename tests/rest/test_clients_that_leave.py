"""What is done for a client that doesn't wait for its answer: reads end, changes go on."""

import asyncio
from time import sleep

import pytest
from prometheus_client import REGISTRY

from compose.http.guarded import endpoint_tree
from ingest.http.endpoint import GONE, Call, Endpoint, Reply
from ingest.http.exchange import Exchange
from ingest.http.limits import InFlight, Limits
from ingest.http.tally import give_all
from query_api.budget import Allowance, Budget
from query_api.threads import ReadThreads
from schemas.errors import TimedOutError
from tests.support.memory_http import MemoryClient

LIMITS = Limits()
PATH = "/points"


def answered(method: str) -> dict[int, float]:
    """How many answers were counted under each status."""
    give_all()
    metric = "headwater_http_responses_total"
    statuses = (200, 408, GONE)
    values = [REGISTRY.get_sample_value(metric, {"method": method, "path": PATH, "status": str(s)}) for s in statuses]
    return dict(zip(statuses, (value or 0.0 for value in values), strict=True))


@pytest.mark.parametrize(("method", "goes_on"), [("POST", False), ("PUT", True)])
def test_a_read_ends_at_its_next_step_and_a_change_goes_on(method: str, goes_on: bool) -> None:
    ended: list[str] = []
    may_end = asyncio.Event()
    begun = asyncio.Event()

    async def handle(call: Call) -> Reply:
        loop = asyncio.get_running_loop()

        def work(allowance: Allowance) -> None:
            loop.call_soon_threadsafe(begun.set)
            for _ in range(60_000):
                if may_end.is_set():
                    return
                sleep(0.001)
                allowance.spend(1.0)
            raise AssertionError("nobody ended it")

        budget = Budget(ReadThreads(), call.deadline(LIMITS), 1 << 20)
        try:
            await budget.run(work, 1e9)
        except TimedOutError:
            ended.append("stopped")
            raise
        ended.append("done")
        return Reply(True)

    endpoint = Endpoint(method, PATH, handle, "", "", result=bool, reads=method == "POST", writes=method == "PUT")
    tree = endpoint_tree([endpoint], LIMITS, InFlight(1 << 20))

    async def app(exchange: Exchange) -> None:
        found = tree.find(exchange.head.method, exchange.head.path)
        assert found is not None
        await found.answer(exchange, found.parameters)

    async def run() -> None:
        client = MemoryClient(app)
        client.send(f"{method} {PATH} HTTP/1.1\r\n\r\n".encode())
        await begun.wait()
        client.leave()
        if goes_on:
            await asyncio.sleep(0.02)
            assert not ended
            may_end.set()
        await client.ended()

    before = answered(method)
    asyncio.run(asyncio.wait_for(run(), 60))
    assert ended == ["done" if goes_on else "stopped"]
    after = answered(method)
    assert {status: after[status] - before[status] for status in after} == {200: 0, 408: 0, GONE: 1}
