"""Configurations of collections and indexes as REST writes them."""

from collections.abc import Callable
from typing import Any

from compose.grpc.fields import ENUMS, Json, read, read_fields, reads, snake, variant
from schemas.errors import BadInputError

DISABLED = "Disabled"
_TURBO = {"turboquant": "turbo"}


def _distance(name: str) -> Json:
    if name == "UnknownDistance" or name.startswith("unknown "):
        raise BadInputError(f"Malformed distance parameter: {name}")
    return name


def _named(unset: str) -> Callable[[str], Json]:
    def name_of(name: str) -> Json:
        return None if name == unset else snake(name)

    return name_of


ENUMS.update(
    {
        "Distance": _distance,
        "Datatype": _named("Default"),
        "Memory": _named("MemoryUnknown"),
        "TokenizerType": _named("Unknown"),
        "FieldType": lambda name: snake(name.removeprefix("FieldType")),
        "Setting": str.lower,
    }
)


@reads("VectorsConfig")
def _vectors(message: Any) -> Json:
    chosen = variant(message, "config")
    return None if chosen is None else read(chosen[1])


@reads("VectorsConfigDiff")
def _vectors_diff(message: Any) -> Json:
    chosen = variant(message, "config")
    if chosen is None:
        return None
    name, value = chosen
    return {"": read(value)} if name == "params" else read(value)


@reads("VectorParamsMap", "VectorParamsDiffMap", "SparseVectorConfig")
def _map(message: Any) -> Json:
    return {name: read(message.map[name]) for name in message.map}


@reads("QuantizationConfig", "QuantizationConfigDiff")
def _quantization(message: Any) -> Json:
    chosen = variant(message, "quantization")
    if chosen is None:
        return None
    name, value = chosen
    return DISABLED if name == "disabled" else {_TURBO.get(name, name): read(value)}


@reads("BinaryQuantizationQueryEncoding", "MaxOptimizationThreads")
def _setting(message: Any) -> Json:
    chosen = variant(message, "variant")
    if chosen is None:
        return None
    return read_fields(message)[chosen[0]]


@reads("OptimizersConfigDiff")
def _optimizers(message: Any) -> Json:
    found = read_fields(message)
    older = found.pop("deprecated_max_optimization_threads", None)
    return found if older is None else {"max_optimization_threads": older, **found}


@reads("StrictModeConfig")
def _strict(message: Any) -> Json:
    found = read_fields(message)
    for name in ("multivector_config", "sparse_config"):
        if name in found:
            found[name] = found[name].get(name, {})
    return found


@reads("CreateCollection", "UpdateCollection")
def _collection(message: Any) -> Json:
    return read_fields(message, vectors_config="vectors", sparse_vectors_config="sparse_vectors")


@reads("CreateFieldIndexCollection")
def _index(message: Any) -> Json:
    params = variant(message.field_index_params, "index_params") if message.HasField("field_index_params") else None
    if params is not None:
        name, value = params
        schema: Json = {"type": name.removesuffix("_index_params"), **read(value)}
    elif message.HasField("field_type"):
        schema = read_fields(message)["field_type"]
    else:
        raise BadInputError("cannot convert field_type")
    return {**read_fields(message, "field_type", "field_index_params"), "field_schema": schema}


@reads("KeywordPrefixParams")
def _prefix(_: Any) -> Json:
    return True


@reads("StemmingAlgorithm")
def _stemmer(message: Any) -> Json:
    chosen = variant(message, "stemming_params")
    if chosen is None:
        return None
    name, value = chosen
    return {"type": "snowball", "language": value.language.lower()} if name == "snowball" else {"type": "none"}


@reads("CreateVectorNameRequest")
def _vector_name(message: Any) -> Json:
    return read_fields(message, dense_config="dense", sparse_config="sparse")
