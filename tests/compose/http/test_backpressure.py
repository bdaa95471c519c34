"""Who takes something is waited for, who takes nothing isn't."""

import asyncio
from collections.abc import Sequence

import pytest

from compose.http import backpressure
from compose.http.backpressure import Backpressure


class Taken(asyncio.WriteTransport):
    """A transport whose buffer has ``sizes``, look by look."""

    def __init__(self, *sizes: int) -> None:
        super().__init__()
        self.sizes = list(sizes)
        self.aborted = asyncio.Event()

    def get_write_buffer_size(self) -> int:
        return self.sizes.pop(0)

    def abort(self) -> None:
        self.aborted.set()


@pytest.mark.parametrize("sizes", [(5, 5), (5, 4, 3, 3), (5, 4, 6, 6)])
def test_who_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch, sizes: Sequence[int]) -> None:
    monkeypatch.setattr(backpressure, "STALLED_SECONDS", 0.0)

    async def main() -> None:
        transport = Taken(*sizes)
        Backpressure(transport)
        async with asyncio.timeout(60):
            await transport.aborted.wait()
        assert transport.sizes == []

    asyncio.run(main())


def test_who_took_all_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backpressure, "STALLED_SECONDS", 0.0)

    async def main() -> None:
        transport = Taken(5, 5)
        waiting = Backpressure(transport)
        waiting.end()
        await waiting.wait()
        await asyncio.sleep(0.01)
        assert transport.sizes == [5]

    asyncio.run(main())
