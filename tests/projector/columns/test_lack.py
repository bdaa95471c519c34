"""When columns lack what is declared: a segment's directory says what was, since a release that is told here."""

import msgspec
import numpy as np
import pytest

from projector.columns.builder import MAX_COLUMNS, ColumnsBuilder
from projector.columns.columns import Columns
from projector.columns.meta import COLUMNS_SECTION, ColumnsMeta
from projector.columns.sections import MemorySections
from schemas.payload_index import SIMPLE, GeoIndex, KeywordIndex, PayloadIndex, PayloadIndexes, TextIndex, Tokenizer

PAYLOADS = [b'{"city":"Bergen","at":{"lat":1,"lon":2},"tags":["a","b"]}'] * 3
KEYS = {f"k{n}": n for n in range(MAX_COLUMNS)}
CROWDED = [msgspec.json.encode(payload) for payload in (KEYS | {"rare": 1}, KEYS)]
TEXT: PayloadIndexes = {"city": PayloadIndex(TextIndex())}


def built(payloads: list[bytes], indexes: PayloadIndexes, **changes: object) -> Columns:
    """Columns whose directory says something else than it was written with."""
    builder = ColumnsBuilder(indexes)
    for payload in payloads:
        builder.add(payload)
    sections = MemorySections()
    builder.write(sections)
    meta = msgspec.json.decode(sections.array(COLUMNS_SECTION, np.uint8).tobytes(), type=ColumnsMeta)
    changed = msgspec.json.encode(msgspec.structs.replace(meta, **changes))
    sections.put(COLUMNS_SECTION, np.frombuffer(changed, np.uint8))
    return Columns(sections, len(payloads))


@pytest.mark.parametrize("kind", SIMPLE)
def test_what_was_built_for_an_index_has_it(kind: str) -> None:
    indexes = {key: PayloadIndex(SIMPLE[kind]) for key in ("city", "at", "tags[]", "nothing")}
    assert not built(PAYLOADS, indexes).lack(indexes)
    assert not built(PAYLOADS, indexes, declared=None).lack(indexes)


def test_another_analysis_of_a_text_is_another_structure() -> None:
    columns = built(PAYLOADS, TEXT)
    assert columns.lack({"city": PayloadIndex(TextIndex(tokenizer=Tokenizer.PREFIX))})
    assert not columns.lack({"city": PayloadIndex(TextIndex(enable_hnsw=False))})
    assert columns.lack({"at": PayloadIndex(GeoIndex())})


@pytest.mark.parametrize("declared", [None, {}], ids=["earlier release", "nothing declared"])
def test_columns_without_a_structure_lack_it(declared: dict[str, object] | None) -> None:
    assert built(PAYLOADS, {}, declared=declared).lack(TEXT)
    assert not built(PAYLOADS, {}, declared=declared).lack({"city": PayloadIndex(KeywordIndex())})


def test_structures_of_another_evaluator_are_built_anew() -> None:
    columns = built(PAYLOADS, TEXT, evaluator="0/0")
    assert columns.lack(TEXT)
    assert not columns.lack({"tags": PayloadIndex(KeywordIndex())})


def test_a_path_that_was_left_out_gets_a_column_once() -> None:
    rare: PayloadIndexes = {"rare": PayloadIndex(KeywordIndex())}
    assert built(CROWDED, {}).lack(rare)
    assert not built(CROWDED, rare).lack(rare)
    nowhere: PayloadIndexes = {"nowhere": PayloadIndex(TextIndex())}
    assert built(CROWDED, {}).lack(nowhere)
    assert not built(CROWDED, nowhere).lack(nowhere)
