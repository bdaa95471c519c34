"""Any order of events, and a crash at any step, leave views and files saying what the state says."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projector.frames import ShardId
from projector.segments.errors import SegmentDamagedError
from projector.segments.manifest import read_manifest
from projector.segments.meta import DAMAGED_FILE
from projector.segments.spec import BuildSpec
from tests.projector.segments.harness import GRAPH_ROWS, Harness, folders, run
from tests.support.examples import tries

COMMANDS = st.one_of(
    st.tuples(st.just("upsert"), st.integers(0, 600), st.integers(1, 400)),
    st.tuples(st.just("delete"), st.integers(0, 600), st.integers(1, 400)),
    st.tuples(st.just("tick"), st.sampled_from([1, 4, 6]), st.just(0)),
    st.tuples(st.just("plain"), st.just(0), st.just(0)),
    st.tuples(st.just("graph"), st.just(0), st.just(0)),
    st.tuples(st.just("restart"), st.just(0), st.just(0)),
    st.tuples(st.just("condemn"), st.integers(0, 5), st.just(0)),
    st.tuples(st.just("fail"), st.just(0), st.just(0)),
    st.tuples(st.just("mend"), st.just(0), st.just(0)),
)


def restart(harness: Harness) -> None:
    for mark in harness.folder.glob(f"*/{DAMAGED_FILE}"):
        mark.unlink()
    harness.restart()


async def obey(harness: Harness, command: tuple[str, int, int]) -> None:
    name, first, count = command
    match name:
        case "upsert":
            harness.upsert(range(first, first + count))
        case "delete":
            harness.delete(range(first, first + count))
        case "tick":
            harness.tick(first)
        case "fail":
            harness.state.fails = True
        case "mend":
            harness.state.fails = False
        case "restart":
            restart(harness)
        case "condemn":
            for segment in list(harness.optimizer.segments())[first : first + 1]:
                harness.optimizer.condemn(segment, SegmentDamagedError("said to be damaged"))
        case _:
            await harness.step(graph=name == "graph")


@given(st.lists(COMMANDS, min_size=5, max_size=25))
@settings(max_examples=tries(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_order_of_events_leaves_the_view_as_the_state_is(commands: list[tuple[str, int, int]]) -> None:
    async def main(root: Path) -> None:
        harness = Harness(root)
        for command in commands:
            await obey(harness, command)
            harness.check()
        restart(harness)
        harness.check()
        harness.state.fails = False
        await harness.settle()
        harness.check()
        named = read_manifest(harness.folder)
        if named is not None:
            assert folders(harness) == ["manifest", *sorted(e.name for e in named.segments)]

    with TemporaryDirectory() as folder:
        run(main(Path(folder)))


def test_a_crash_at_any_step_of_a_replacement_loses_nothing(tmp_path: Path) -> None:
    """The files as they are at every await of the procedure, opened as a start would."""

    async def main() -> None:
        harness = Harness(tmp_path / "live")
        harness.upsert(range(GRAPH_ROWS * 2))
        harness.tick(6)
        await harness.step()
        harness.upsert(range(50))
        harness.delete(range(40, 90))
        checks = 0

        def check() -> None:
            nonlocal checks
            checks += 1
            copy = Harness(tmp_path / f"copy{checks}")
            if harness.folder.exists():
                shutil.copytree(harness.folder, copy.folder)
            copy.state.samples = dict(harness.state.samples)
            copy.state.changed = list(harness.state.changed)
            copy.state.dropped, copy.offset = harness.state.dropped, harness.offset
            copy.restart()
            copy.check()

        plain_sync = harness.state.sync

        async def sync() -> None:
            check()
            await plain_sync()
            harness.upsert([500 + checks])
            check()

        async def before(spec: BuildSpec) -> None:
            check()
            harness.delete([checks])

        plain_drop = harness.state.drop_changed

        def drop(shard: ShardId, offset: int) -> None:
            check()
            plain_drop(shard, offset)
            check()

        harness.state.drop_changed = drop
        for graph in (False, True):
            harness.state.sync, harness.builder.before = sync, before
            harness.tick(6)
            assert await harness.step(graph=graph)
            check()
            harness.state.sync, harness.builder.before = plain_sync, None
            harness.tick(6)
            assert await harness.step()
            check()
        assert len(harness.graphs) == 1
        assert checks >= 12

    run(main())
