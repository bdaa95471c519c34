from collections.abc import AsyncIterator
from typing import Self

from faust.events import Event

class Stream:
    def noack(self) -> Self: ...
    def events(self) -> AsyncIterator[Event]: ...
