"""CatalogStore: catalog, applied offset and outbox in one batch, there again when opened again."""

from pathlib import Path

import pytest

from projector.catalog.effects import CatalogEffects
from projector.catalog.state import CatalogState
from projector.catalog.store import CatalogStore
from projector.state.errors import StateLockedError
from projector.state.origin import StateMismatchError
from schemas.config import CollectionPatch, HnswConfigDiff
from schemas.operations import Outcome
from schemas.records import CatalogRecord, CreateAlias, DeleteAlias, DeleteCollection, UpdateCollection
from tests.projector.catalog.samples import Catalog, change_aliases, create, store_in

RECORDS: list[CatalogRecord] = [
    create("one", 11, 3, 2),
    create("zwei ü", 2**64 - 1),
    change_aliases(CreateAlias("a", "one"), CreateAlias("b", "zwei ü"), CreateAlias("c", "one")),
    UpdateCollection(name="a", patch=CollectionPatch(hnsw_config=HnswConfigDiff(m=9))),
    change_aliases(DeleteAlias("c"), CreateAlias("b", "one")),
    DeleteCollection(name="zwei ü"),
    create("zwei ü", 13),
    DeleteCollection(name="one"),
]


def test_a_new_store_is_empty(tmp_path: Path) -> None:
    with store_in(tmp_path) as store:
        assert (store.state, store.applied, store.last_checksum, store.outbox()) == (CatalogState(), -1, None, [])


def test_every_commit_is_there_again(tmp_path: Path) -> None:
    catalog = Catalog()
    waiting: list[tuple[int, int]] = []
    for offset, record in enumerate(RECORDS):
        effects = catalog.apply(record)
        assert effects.outcome.applied
        with store_in(tmp_path) as store:
            store.commit(effects, offset * 2, b"value")
            assert store.state == effects.state
        waiting += [(marker.seq, partition) for partition, marker in effects.markers]
        for read_only in (False, True):
            with store_in(tmp_path, read_only=read_only) as store:
                assert store.state == effects.state
                assert store.applied == offset * 2
                assert [(seq, partition) for seq, partition, _ in store.outbox()] == waiting
    with store_in(tmp_path) as store:
        seq, _, marker = store.outbox()[0]
        assert marker.seq == seq
        for seq, _ in waiting[:3]:
            store.sent(seq)
        store.sent(waiting[0][0])
    with store_in(tmp_path) as store:
        assert [(seq, partition) for seq, partition, _ in store.outbox()] == waiting[3:]


def test_a_rejected_record_moves_the_applied_offset_only(tmp_path: Path) -> None:
    with store_in(tmp_path) as store:
        store.commit(Catalog().apply(RECORDS[0]), 0, b"")
        state, outbox = store.state, store.outbox()
        store.commit(CatalogEffects(state, Outcome("no", 400)), 5, b"123456789")
    with store_in(tmp_path) as store:
        assert (store.state, store.applied, store.last_checksum) == (state, 5, 0xE3069283)
        assert store.outbox() == outbox


def test_it_is_of_one_log_and_has_one_owner(tmp_path: Path) -> None:
    with store_in(tmp_path), pytest.raises(StateLockedError):
        CatalogStore.open(tmp_path, "memory")
    with pytest.raises(StateMismatchError):
        CatalogStore.open(tmp_path, "another")
    with store_in(tmp_path):
        pass
