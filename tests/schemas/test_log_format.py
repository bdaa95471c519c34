"""docs/log-format.md against the code: the example, and every field of every table."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas import config, operations, records, strict_mode
from schemas.records import PointsRecord, decode_partition_record, encode_record
from schemas.vectors import params
from schemas.vectors.dense import DenseColumn
from schemas.vectors.multi import MultiColumn
from schemas.vectors.sparse import SparseColumn

PAGE = (Path(__file__).parents[2] / "docs" / "log-format.md").read_text(encoding="utf-8")
EXAMPLE = PointsRecord(
    uid=4660,
    shard=0,
    ops=[
        operations.Upsert(
            ids=[42, bytes(15) + b"\x2a"],
            vectors={"": DenseColumn(dim=2, data=bytes.fromhex("0000803f 000020c0"), rows=[0])},
            payloads=[b'{"color":"blue"}', b""],
        ),
        operations.DeletePoints(filter={"must": {"key": "color", "match": {"value": "red"}}}),
    ],
)

RECORDS: tuple[type[msgspec.Struct], ...] = (
    records.PointsRecord,
    records.ShardOpened,
    records.ShardChanged,
    records.ShardClosed,
    records.CreateCollection,
    records.UpdateCollection,
    records.CreateVectorName,
    records.DeleteVectorName,
    records.DeleteCollection,
    records.ChangeAliases,
    operations.Upsert,
    operations.UpdateVectors,
    operations.DeleteVectors,
    operations.SetPayload,
    operations.OverwritePayload,
    operations.DeletePayload,
    operations.ClearPayload,
    operations.DeletePoints,
)
COLUMNS: tuple[type[msgspec.Struct], ...] = (DenseColumn, SparseColumn, MultiColumn)
ALIAS_ACTIONS: tuple[type[msgspec.Struct], ...] = (records.CreateAlias, records.DeleteAlias, records.RenameAlias)
PARTS: dict[str, type[msgspec.Struct]] = {
    "sparse vector params": params.SparseVectorParams,
    "sparse index config": params.SparseIndexConfig,
    "multivector config": params.MultivectorConfig,
    "config": config.CollectionConfig,
    "vector params": config.VectorParams,
    "hnsw config": config.HnswConfig,
    "hnsw diff": config.HnswConfigDiff,
    "optimizers config": config.OptimizersConfig,
    "optimizers diff": config.OptimizersConfigDiff,
    "wal config": config.WalConfig,
    "config patch": config.CollectionPatch,
    "vector params diff": config.VectorParamsDiff,
    "params diff": config.CollectionParamsDiff,
    "sparse vector params diff": config.SparseVectorParamsDiff,
    "payload storage": config.PayloadStorage,
    "strict mode": strict_mode.StrictModeConfig,
    "multivector limits": strict_mode.MultivectorLimits,
    "sparse limits": strict_mode.SparseLimits,
}


def tag_of(kind: type[msgspec.Struct]) -> str:
    return str(kind.__struct_config__.tag)


TABLES: dict[str, type[msgspec.Struct]] = {
    **{f"`{tag_of(kind)}`": kind for kind in RECORDS},
    **{f"vector column `{tag_of(kind)}`": kind for kind in COLUMNS},
    **{f"alias action `{tag_of(kind)}`": kind for kind in ALIAS_ACTIONS},
    **PARTS,
}


def hex_dump(data: bytes) -> str:
    lines: list[str] = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{at:04x}  {row.hex(' '):<47}  {text}")
    return "\n".join(lines)


def table(heading: str) -> list[list[str]]:
    """The rows of the table under a heading of the third level."""
    _, found, section = PAGE.partition(f"\n### {heading}\n")
    assert found, f"no heading {heading!r}"
    section = re.split(r"\n##", section)[0]
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in section.splitlines() if line.startswith("| `")]
    return [[cells[0].strip("`"), *cells[1:]] for cells in rows]


def test_the_example_is_what_the_code_writes() -> None:
    assert f"```\n{hex_dump(encode_record(EXAMPLE))}\n```" in PAGE


def test_the_example_decodes() -> None:
    (dump,) = re.findall(r"```\n(0000 .*?)\n```", PAGE, re.DOTALL)
    data = bytes.fromhex("".join(line[6:53] for line in dump.splitlines()))
    assert decode_partition_record(data) == EXAMPLE


@pytest.mark.parametrize(("heading", "kind"), TABLES.items(), ids=list(TABLES))
def test_every_field_is_told_in_order(heading: str, kind: type[msgspec.Struct]) -> None:
    info = kind.__struct_config__
    expected = [*([info.tag_field] if info.tag_field else []), *kind.__struct_encode_fields__]
    if "v" in expected:
        expected.remove("v")
        expected.insert(1, "v")
    assert [row[0] for row in table(heading)] == expected


def told(default: Any) -> str:
    if default is None:
        return "nil"
    if isinstance(default, msgspec.Struct):
        return "its defaults"
    if isinstance(default, msgspec.UnsetType) or default == {}:
        return "none"
    return str(default).lower() if isinstance(default, bool) else str(default).strip("`")


def default_of(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


@pytest.mark.parametrize(("heading", "kind"), TABLES.items(), ids=list(TABLES))
def test_every_default_is_told(heading: str, kind: type[msgspec.Struct]) -> None:
    defaults = {
        field.encode_name: "" if field.required or field.name == "v" else told(default_of(field))
        for field in msgspec.structs.fields(kind)
    }
    rows = {row[0]: row[2].split(":")[0].strip("`") for row in table(heading)}
    assert {name: rows[name] for name in defaults} == defaults


def test_a_field_is_left_out_exactly_where_the_page_gives_a_default() -> None:
    for heading, kind in TABLES.items():
        has_defaults = any(row[2] for row in table(heading))
        assert kind.__struct_config__.omit_defaults or not has_defaults


def test_the_version_and_the_content_type_are_told() -> None:
    assert f"It is now {records.RECORD_VERSION}," in PAGE
    assert f"`{records.CONTENT_TYPE_HEADER}` | `{records.CANONICAL_CONTENT_TYPE.decode()}`" in PAGE
