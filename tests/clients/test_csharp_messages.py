"""What the C# snippets of Qdrant's documentation send, sent through Python's stubs of the same contract.

Older releases of a client put a vector's numbers beside its kind, newer ones into it: both are sent.
"""

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

import grpc
import pytest

from tests.support.server import HOST, Server

messages: Any = import_module("qdrant_client.grpc")
Message = Any

COLLECTION = "csharp-snippets"
UUID = "5c56c793-69f3-4fbf-87e6-c4bf54c28c26"
RED = messages.Filter(
    must=[
        messages.Condition(field=messages.FieldCondition(key="color", match=messages.Match(keyword="red"))),
    ]
)
Vector = Callable[..., Message]


class Client:
    """Stubs, and what the C# client fills in by itself: ``wait`` where something is changed."""

    def __init__(self, port: int) -> None:
        self.channel: Any = grpc.insecure_channel(f"{HOST}:{port}")
        self.collections: Any = messages.CollectionsStub(self.channel)
        self.points: Any = messages.PointsStub(self.channel)

    def create(self, **config: Any) -> Any:
        """Make a collection in the place of the one before it; its configuration, read back."""
        if self.collections.CollectionExists(
            messages.CollectionExistsRequest(collection_name=COLLECTION)
        ).result.exists:
            self.collections.Delete(messages.DeleteCollection(collection_name=COLLECTION))
        self.collections.Create(messages.CreateCollection(collection_name=COLLECTION, **config))
        return self.collections.Get(messages.GetCollectionInfoRequest(collection_name=COLLECTION)).result.config

    def upsert(self, *points: Message) -> None:
        request = messages.UpsertPoints(collection_name=COLLECTION, wait=True, points=points)
        assert self.points.Upsert(request).result.status == messages.UpdateStatus.Completed

    def get(self, *ids: int | str) -> list[Any]:
        request = messages.GetPoints(
            collection_name=COLLECTION,
            ids=[point_id(one) for one in ids],
            with_payload=messages.WithPayloadSelector(enable=True),
            with_vectors=messages.WithVectorsSelector(enable=True),
        )
        return list(self.points.Get(request).result)

    def ids(self, **asked: Any) -> list[int]:
        found = self.points.Scroll(messages.ScrollPoints(collection_name=COLLECTION, **asked)).result
        return [point.id.num for point in found]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Server(tmp_path_factory.mktemp("csharp") / "data", grpc=True) as server:
        server.start()
        made = Client(server.grpc_port)
        yield made
        made.channel.close()


def newer(values: Sequence[float], indices: Sequence[int] = ()) -> Message:
    if indices:
        return messages.Vector(sparse=messages.SparseVector(values=values, indices=indices))
    return messages.Vector(dense=messages.DenseVector(data=values))


def older(values: Sequence[float], indices: Sequence[int] = ()) -> Message:
    if indices:
        return messages.Vector(data=values, indices=messages.SparseIndices(data=indices))
    return messages.Vector(data=values)


both = pytest.mark.parametrize("vector", [newer, older])


def point_id(value: int | str) -> Message:
    return messages.PointId(num=value) if isinstance(value, int) else messages.PointId(uuid=value)


def selected(*ids: int) -> Message:
    return messages.PointsSelector(points=messages.PointsIdsList(ids=[point_id(one) for one in ids]))


def named(**vectors: Message) -> Message:
    return messages.Vectors(vectors=messages.NamedVectors(vectors=vectors))


def params(size: int, distance: Any = messages.Distance.Dot, on_disk: bool | None = None) -> Message:
    return messages.VectorsConfig(params=messages.VectorParams(size=size, distance=distance, on_disk=on_disk))


def near(values: Sequence[float]) -> Any:
    return pytest.approx(values, abs=1e-6)


def dense(point: Any) -> dict[str, list[float]]:
    """The named vectors of a point."""
    return {name: list(one.dense.data) for name, one in point.vectors.vectors.vectors.items()}


def create_pictures(client: Client) -> None:
    image, text = (messages.VectorParams(size=size, distance=messages.Distance.Dot) for size in (4, 8))
    client.create(
        vectors_config=messages.VectorsConfig(params_map=messages.VectorParamsMap(map={"image": image, "text": text}))
    )


def colored(id_: int | str, color: str, values: Message, **payload: int) -> Message:
    entries = {key: messages.Value(integer_value=value) for key, value in payload.items()}
    return messages.PointStruct(
        id=point_id(id_),
        vectors=messages.Vectors(vector=values),
        payload={"color": messages.Value(string_value=color), **entries},
    )


def upsert_colors(client: Client, vector: Vector) -> None:
    client.create(vectors_config=params(3))
    client.upsert(
        colored(1, "red", vector([0.9, 0.1, 0.1])),
        colored(2, "green", vector([0.1, 0.9, 0.1])),
        colored(3, "blue", vector([0.1, 0.1, 0.9])),
    )


@both
@pytest.mark.parametrize("id_", [UUID, 1])
def test_upserting_a_point(client: Client, vector: Vector, id_: int | str) -> None:
    client.create(vectors_config=params(4))
    client.upsert(colored(id_, "Red", vector([0.05, 0.61, 0.76, 0.74])))
    (found,) = client.get(id_)
    assert found.id == point_id(id_)
    assert list(found.vectors.vector.dense.data) == near([0.05, 0.61, 0.76, 0.74])
    assert found.payload["color"].string_value == "Red"


@both
def test_upserting_several_points(client: Client, vector: Vector) -> None:
    upsert_colors(client, vector)
    found = client.get(1, 2, 3)
    assert [point.payload["color"].string_value for point in found] == ["red", "green", "blue"]
    assert list(found[1].vectors.vector.dense.data) == near([0.1, 0.9, 0.1])


@both
def test_named_vectors(client: Client, vector: Vector) -> None:
    create_pictures(client)
    image, text = [0.9, 0.1, 0.1, 0.2], [0.4, 0.7, 0.1, 0.8, 0.1, 0.1, 0.9, 0.2]
    client.upsert(
        *(messages.PointStruct(id=point_id(i), vectors=named(image=vector(image), text=vector(text))) for i in (1, 2))
    )
    update = messages.UpdatePointVectors(
        collection_name=COLLECTION,
        wait=True,
        points=[messages.PointVectors(id=point_id(1), vectors=named(image=vector([0.1, 0.2, 0.3, 0.4])))],
    )
    client.points.UpdateVectors(update)
    first, second = (dense(point) for point in client.get(1, 2))
    assert first == {"image": near([0.1, 0.2, 0.3, 0.4]), "text": near(text)}
    assert second == {"image": near(image), "text": near(text)}
    delete = messages.DeletePointVectors(
        collection_name=COLLECTION,
        wait=True,
        points_selector=selected(1, 2),
        vectors=messages.VectorsSelector(names=["text", "image"]),
    )
    client.points.DeleteVectors(delete)
    assert [dict(point.vectors.vectors.vectors) for point in client.get(1, 2)] == [{}, {}]


@both
def test_sparse_vectors(client: Client, vector: Vector) -> None:
    client.create(sparse_vectors_config=messages.SparseVectorConfig(map={"text": messages.SparseVectorParams()}))
    client.upsert(
        messages.PointStruct(id=point_id(1), vectors=named(text=vector([1.0, 2.0], [6, 7]))),
        messages.PointStruct(id=point_id(2), vectors=named(text=vector([0.1, 0.2, 0.3, 0.4, 0.5], [1, 2, 3, 4, 5]))),
    )
    first, second = (point.vectors.vectors.vectors["text"].sparse for point in client.get(1, 2))
    assert (list(first.indices), list(first.values)) == ([6, 7], [1.0, 2.0])
    assert (list(second.indices), list(second.values)) == ([1, 2, 3, 4, 5], near([0.1, 0.2, 0.3, 0.4, 0.5]))


def test_deleting_points(client: Client) -> None:
    upsert_colors(client, newer)
    client.points.Delete(messages.DeletePoints(collection_name=COLLECTION, wait=True, points=selected(0, 3, 100)))
    assert client.ids() == [1, 2]
    by_filter = messages.PointsSelector(filter=RED)
    client.points.Delete(messages.DeletePoints(collection_name=COLLECTION, wait=True, points=by_filter))
    assert client.ids() == [2]


def test_reading_points(client: Client) -> None:
    client.create(vectors_config=params(3))
    stamps = [300, 100, 123, 200]
    colors = ["red", "green", "red", "blue"]
    client.upsert(*(colored(i, colors[i], newer([0.9, 0.1, 0.1]), timestamp=stamps[i]) for i in range(4)))
    index = messages.CreateFieldIndexCollection(
        collection_name=COLLECTION, wait=True, field_name="timestamp", field_type=messages.FieldType.FieldTypeInteger
    )
    client.points.CreateFieldIndex(index)
    nothing = messages.GetPoints(
        collection_name=COLLECTION,
        ids=[point_id(one) for one in (0, 30, 100)],
        with_payload=messages.WithPayloadSelector(enable=False),
        with_vectors=messages.WithVectorsSelector(enable=False),
    )
    (found,) = client.points.Get(nothing).result
    assert (found.id.num, dict(found.payload), found.HasField("vectors")) == (0, {}, False)
    page = messages.ScrollPoints(
        collection_name=COLLECTION, filter=RED, limit=1, with_payload=messages.WithPayloadSelector(enable=True)
    )
    answer = client.points.Scroll(page)
    assert ([point.id.num for point in answer.result], answer.next_page_offset.num) == ([0], 2)
    assert client.ids(limit=15, order_by=messages.OrderBy(key="timestamp")) == [1, 2, 3, 0]
    descending = messages.OrderBy(
        key="timestamp", direction=messages.Direction.Desc, start_from=messages.StartFrom(integer=123)
    )
    assert client.ids(limit=15, order_by=descending) == [2, 1]
    counted = client.points.Count(messages.CountPoints(collection_name=COLLECTION, filter=RED, exact=True))
    assert counted.result.count == 2


SCALAR = messages.QuantizationConfig(
    scalar=messages.ScalarQuantization(type=messages.QuantizationType.Int8, always_ram=True)
)


@pytest.mark.parametrize(
    ("on_disk", "config"),
    [
        (True, {"quantization_config": SCALAR}),
        (True, {"hnsw_config": messages.HnswConfigDiff(on_disk=True)}),
        (None, {"quantization_config": SCALAR}),
        (None, {"optimizers_config": messages.OptimizersConfigDiff(default_segment_number=16)}),
        (None, {"optimizers_config": messages.OptimizersConfigDiff(default_segment_number=2)}),
    ],
    ids=["quantized, on disk", "graph on disk", "quantized", "16 segments", "2 segments"],
)
def test_configurations(client: Client, on_disk: bool | None, config: dict[str, Any]) -> None:
    asked = params(768, messages.Distance.Cosine, on_disk)
    read = client.create(vectors_config=asked, **config)
    vectors = read.params.vectors_config.params
    assert (vectors.size, vectors.distance, vectors.on_disk) == (768, messages.Distance.Cosine, bool(on_disk))
    assert not config.get("quantization_config") or read.quantization_config == SCALAR
    assert not config.get("hnsw_config") or read.hnsw_config.on_disk
    optimizers = config.get("optimizers_config")
    assert not optimizers or read.optimizer_config.default_segment_number == optimizers.default_segment_number


@pytest.mark.parametrize(
    "searching",
    [
        messages.SearchParams(quantization=messages.QuantizationSearchParams(rescore=False)),
        messages.SearchParams(hnsw_ef=128, exact=False),
    ],
    ids=["rescore", "hnsw_ef"],
)
def test_queries(client: Client, searching: Message) -> None:
    client.create(vectors_config=params(4, messages.Distance.Cosine), quantization_config=SCALAR)
    wanted = [0.2, 0.1, 0.9, 0.7]
    client.upsert(*(colored(i, "red", newer(one)) for i, one in enumerate([[1, 0, 0, 0], [0, 0, 1, 0], wanted])))
    nearest = messages.Query(nearest=messages.VectorInput(dense=messages.DenseVector(data=wanted)))
    request = messages.QueryPoints(collection_name=COLLECTION, query=nearest, params=searching, limit=3)
    found = client.points.Query(request).result
    assert [point.id.num for point in found] == [2, 1, 0]
    assert found[0].score == pytest.approx(1.0, abs=0.02)
