"""How the processes of a run share its tests: whole files, and all that is asked of the session's cluster in one.

A cluster in each process would take as much CPU to start, and to keep, as hundreds of tests. Those files begin first
that take long, so that no process is left with one of them at the end.
"""

# pytest-xdist tells its types, but doesn't say so.
# pyright: reportMissingTypeStubs=false

from collections.abc import Generator

import pytest
from _pytest.nodeid import coerce_node_id
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling

from tests.support.cluster import CLUSTER

_CLUSTER = "cluster"
_LONG = ("slow", "crash", "kafka")
_LEFT: pytest.StashKey[int] = pytest.StashKey()
"""How many tests that take the cluster have not been run."""


class FileScheduling(LoadGroupScheduling):
    """Hands out groups of tests, and those without a group by file."""

    def _split_scope(self, nodeid: str) -> str:
        group: str = super()._split_scope(nodeid)
        return nodeid.partition("::")[0] if group == nodeid else group


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadGroupScheduling | None:
    """``--dist loadgroup`` by file."""
    return FileScheduling(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None]:
    """Group what takes the session's cluster, and put it first, then files that take long.

    After all other hooks, as pytest itself puts tests in another order by the parameters of their fixtures.
    """
    asking = {item for item in items if _takes_cluster(item)}
    yield
    if getattr(config.option, "loadgroup", False):  # in a process of pytest-xdist
        for item in asking:
            # As pytest-xdist would for its mark, but that it sets what pytest no longer looks at.
            item._id = coerce_node_id(f"{item.nodeid}@{_CLUSTER}")  # pyright: ignore[reportPrivateUsage]
    config.stash[_LEFT] = len(asking.intersection(items))
    long = {item.path for item in items if item not in asking and any(map(item.get_closest_marker, _LONG))}
    items.sort(key=lambda item: (item not in asking, item.path not in long))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """End the cluster after the last test that takes it: it is a tenth of a core to keep."""
    stash = item.config.stash
    if _takes_cluster(item):
        stash[_LEFT] -= 1
        if stash[_LEFT] == 0 and CLUSTER in stash:
            stash[CLUSTER].close()


def _takes_cluster(item: pytest.Item) -> bool:
    if not isinstance(item, pytest.Function):
        return False
    if hasattr(item, "callspec") and _CLUSTER in item.callspec.params.values():
        return True
    found = item._fixtureinfo.name2fixturedefs.get(_CLUSTER)  # pyright: ignore[reportPrivateUsage]
    return found is not None and found[-1].scope == "session"
