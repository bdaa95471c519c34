"""The catalog's feed: whatever happens to the catalog, its readers have it, its markers and its rejections."""

import asyncio
import os
import tempfile
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.ports import CollectionEntry
from projector.catalog.state import CatalogState, CollectionMeta, MarkerOffset
from projector.feed import reloading
from projector.feed.catalog_feed import CatalogFeed
from projector.feed.catalog_follower import CatalogFeedFollower
from projector.feed.recent import KEPT_OFFSETS
from projector.folders import StateFolder
from schemas.config import CollectionConfig
from schemas.errors import InsufficientStorageError, NotFoundError, TimedOutError
from schemas.operations import Outcome
from tests.projector.feed.place import following
from tests.projector.feed.sample import CONFIG, IDENTITY, feed_files
from tests.support.examples import tries

TIMEOUT_SECONDS = 240.0
CHANGED = CollectionConfig(vectors=CONFIG.vectors)
REJECTED = [Outcome("it exists", 409)]
_names = st.sampled_from(["a", "b", "c"])
steps = st.one_of(
    st.tuples(st.just("create"), _names),
    st.tuples(st.just("update"), _names),
    st.tuples(st.just("delete"), _names),
    st.tuples(st.just("alias"), _names, _names),
    st.tuples(st.just("reject")),
    st.tuples(st.just("read")),
    st.tuples(st.just("restart")),
)


def create(state: CatalogState, name: str, uid: int = 1) -> CatalogState:
    meta = CollectionMeta(uid, name, CONFIG, [0, 1])
    return replace(state, collections={**state.collections, name: meta})


def changed(state: CatalogState, step: tuple[str, ...], uid: int) -> CatalogState:
    """The catalog after a step."""
    kind, *names = step
    collections, aliases = dict(state.collections), dict(state.aliases)
    if kind == "create" and names[0] not in collections:
        return create(state, names[0], uid)
    if kind == "update" and names[0] in collections:
        collections[names[0]] = replace_config(collections[names[0]])
    elif kind == "delete":
        collections.pop(names[0], None)
        aliases = {alias: name for alias, name in aliases.items() if name != names[0]}
    elif kind == "alias" and names[0] in collections:
        aliases["alias of " + names[1]] = names[0]
    return CatalogState(collections, aliases)


def replace_config(meta: CollectionMeta) -> CollectionMeta:
    return CollectionMeta(meta.uid, meta.name, CHANGED if meta.config is CONFIG else CONFIG, meta.shard_map)


def entries(state: CatalogState) -> list[CollectionEntry]:
    metas = sorted(state.collections.items())
    return [CollectionEntry(m.uid, m.name, m.config, tuple(m.shard_map)) for _, m in metas]


def reader(root: Path) -> AbstractAsyncContextManager[CatalogFeedFollower]:
    return following(CatalogFeedFollower(StateFolder(root), IDENTITY))


async def check(follower: CatalogFeedFollower, offset: int, state: CatalogState) -> None:
    await follower.waiters.wait(offset, TIMEOUT_SECONDS)
    assert follower.visible == offset
    assert list(follower.collections()) == entries(state)
    assert dict(follower.aliases()) == dict(state.aliases)
    for alias, name in state.aliases.items():
        assert follower.resolve(alias).name == name


@settings(max_examples=tries(50), deadline=None)
@given(st.lists(steps, max_size=40), st.sampled_from([1, 1000, 1 << 20]))
def test_readers_have_the_catalog(history: Sequence[tuple[str, ...]], changes_bytes: int) -> None:
    async def main(root: Path) -> None:
        feed = CatalogFeed(StateFolder(root), IDENTITY, changes_bytes=changes_bytes)
        state, offset = CatalogState(), -1
        feed.publish(offset, state, (), ())
        markers: dict[int, Sequence[MarkerOffset]] = {}
        rejected: set[int] = set()
        async with reader(root) as first:
            await first.loaded()
            for step in history:
                if step[0] == "read":
                    await check(first, offset, state)
                elif step[0] == "restart":
                    feed.close()
                    feed = CatalogFeed(StateFolder(root), IDENTITY, changes_bytes=changes_bytes)
                    feed.publish(offset, state, (), ())
                else:
                    offset += 2
                    state = changed(state, step, offset)
                    markers[offset] = [(0, offset * 10), (1, offset * 10)] if step[0] == "create" else []
                    outcomes = REJECTED if step[0] == "reject" else []
                    rejected.update([offset] if outcomes else [])
                    feed.publish(offset, state, outcomes, markers[offset])
            async with reader(root) as second:
                for each in (first, second):
                    await check(each, offset, state)
            for at in range(1, offset + 1, 2):
                told = list(await first.waiters.wait(at, TIMEOUT_SECONDS))
                assert told == (REJECTED if at in rejected else []) or told[0].status == TimedOutError.status
                if told == []:
                    assert list(first.markers_of(at)) == markers[at]
        feed.close()

    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(reloading, "RETRY_SECONDS", 0.001)
        asyncio.run(main(Path(name)))


def test_a_name_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    async def main() -> None:
        async with reader(tmp_path) as follower:
            feed = CatalogFeed(StateFolder(tmp_path), IDENTITY)
            feed.publish(3, create(CatalogState(), "a"), (), ())
            await follower.loaded()
            assert follower.resolve("a").shard_map == (0, 1)
            with pytest.raises(NotFoundError):
                follower.resolve("b")
        feed.close()

    asyncio.run(main())


def test_who_waits_is_told_of_a_pause(tmp_path: Path) -> None:
    async def main() -> None:
        full = "state/catalog can't be written: No space left on device"
        async with reader(tmp_path) as follower:
            feed = CatalogFeed(StateFolder(tmp_path), IDENTITY)
            feed.publish(3, create(CatalogState(), "a"), (), ())
            await follower.loaded()
            feed.paused(full)
            follower.look_for_pause()
            with pytest.raises(InsufficientStorageError, match="No space left on device"):
                await follower.waiters.wait(4, None, give_up=True)
            feed.paused(None)
            follower.look_for_pause()
            assert follower.waiters.stalled is None
        feed.close()

    asyncio.run(main())


def test_a_torn_frame_at_the_end_keeps_no_reader_waiting(tmp_path: Path) -> None:
    async def main() -> None:
        feed = CatalogFeed(StateFolder(tmp_path), IDENTITY)
        first = create(CatalogState(), "a")
        feed.publish(3, CatalogState(), (), ())
        feed.publish(4, first, (), ())
        feed.publish(5, create(first, "b", 2), (), ())
        feed.close()
        (file,) = feed_files(tmp_path / "catalog-feed")
        data = file.read_bytes()
        os.truncate(file, len(data) - 1)
        async with reader(tmp_path) as follower:
            await check(follower, 4, first)
            file.write_bytes(data)
            await check(follower, 5, create(first, "b", 2))

    asyncio.run(main())


def test_markers_and_rejections_are_in_a_new_file_too(tmp_path: Path) -> None:
    async def main() -> None:
        feed = CatalogFeed(StateFolder(tmp_path), IDENTITY, changes_bytes=0)
        state = CatalogState()
        feed.publish(3, state, (), [(0, 5)])
        for offset in range(4, 30):
            state = create(state, f"c{offset}") if offset == 5 else state
            outcomes = REJECTED if offset == 6 else ()
            feed.publish(offset, state, outcomes, [(1, 7)] if offset == 5 else ())
        assert len(feed_files(tmp_path / "catalog-feed")) == 1
        async with reader(tmp_path) as follower:
            await check(follower, 29, state)
            assert [list(follower.markers_of(offset)) for offset in (3, 4, 5)] == [[(0, 5)], [], [(1, 7)]]
            assert list(await follower.waiters.wait(6, None)) == REJECTED
            assert list(await follower.waiters.wait(7, None)) == []
            # Of what came before the generation nothing is known, and that is what it says.
            assert (await follower.waiters.wait(2, None))[0].status == TimedOutError.status
            # So large a change that a new file begins.
            for number in range(20):
                state = create(state, f"late {number}", 10 + number)
            feed.publish(KEPT_OFFSETS + 5, state, (), ())
            async with reader(tmp_path) as later:
                await check(later, KEPT_OFFSETS + 5, state)
                assert [list(later.markers_of(offset)) for offset in (3, 5)] == [[], []]
                assert list(await later.waiters.wait(6, None)) == REJECTED
        feed.close()

    asyncio.run(main())


def test_what_was_published_by_nobody_before_a_crash_is_not_said_to_be_applied(tmp_path: Path) -> None:
    async def main() -> None:
        feed = CatalogFeed(StateFolder(tmp_path), IDENTITY)
        feed.publish(3, CatalogState(), (), ())
        async with reader(tmp_path) as follower:
            await follower.loaded()
            waiting = asyncio.create_task(follower.waiters.wait(4, TIMEOUT_SECONDS))
            feed.close()
            feed = CatalogFeed(StateFolder(tmp_path), IDENTITY)
            feed.publish(4, CatalogState(), (), ())
            assert (await waiting)[0].status == TimedOutError.status
        feed.close()

    asyncio.run(main())


def test_the_catalog_never_goes_back(tmp_path: Path) -> None:
    async def main() -> None:
        feed = CatalogFeed(StateFolder(tmp_path), IDENTITY)
        state = create(CatalogState(), "a")
        feed.publish(5, state, (), ())
        async with reader(tmp_path) as follower:
            await follower.loaded()
            feed.close()
            feed = CatalogFeed(StateFolder(tmp_path), IDENTITY)
            feed.publish(2, CatalogState(), (), ())
            await asyncio.sleep(0.3)
            await check(follower, 5, state)
            feed.publish(6, CatalogState(), (), ())
            await check(follower, 6, CatalogState())
        feed.close()

    asyncio.run(main())


def test_a_change_writes_what_changes(tmp_path: Path) -> None:
    collections = {f"c{n}": CollectionMeta(n, f"c{n}", CONFIG, [0]) for n in range(5000)}
    state = CatalogState(collections)
    feed = CatalogFeed(StateFolder(tmp_path), IDENTITY)
    feed.publish(0, state, (), ())
    whole = _bytes(tmp_path)
    for offset in range(1, 200):
        state = create(state, f"new{offset}", offset)
        feed.publish(offset, state, (), [(0, offset)])
    assert _bytes(tmp_path) - whole < whole / 10
    feed.close()


def _bytes(root: Path) -> int:
    return sum(os.stat(file).st_size for file in feed_files(root / "catalog-feed"))
