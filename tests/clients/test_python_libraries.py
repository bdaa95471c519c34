"""What apps put in front of Qdrant, unmodified, does its ordinary work: embeddings are made up."""

# These libraries tell few types.
# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient, QdrantClient, models

from tests.support.server import Server

SIZE = 16
TEXTS = ["the sea is deep", "a mountain is high", "rivers run to the sea", "bread is baked in the morning"]


def embedded(text: str) -> list[float]:
    """The same unit vector for the same text, nearer for texts that share words."""
    total = np.zeros(SIZE)
    for word in text.lower().split():
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
        total += np.random.default_rng(seed).normal(size=SIZE)
    return (total / np.linalg.norm(total)).tolist()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("clients") / "data") as running:
        yield running.start()


@pytest.fixture
def client(server: Server) -> Iterator[QdrantClient]:
    made = QdrantClient(url=server.url, timeout=60)
    yield made
    for collection in made.get_collections().collections:
        made.delete_collection(collection.name)
    made.close()


def test_the_async_client(server: Server, client: QdrantClient) -> None:
    async def work() -> None:
        made = AsyncQdrantClient(url=server.url, timeout=60)
        await made.create_collection("a", vectors_config={"": models.VectorParams(size=SIZE, distance="Cosine")})  # type: ignore[arg-type]
        assert await made.collection_exists("a")
        points = [
            models.PointStruct(id=i, vector=embedded(text), payload={"text": text, "n": i})
            for i, text in enumerate(TEXTS)
        ]
        await made.upsert("a", points)
        await made.create_payload_index("a", "n", models.PayloadSchemaType.INTEGER)
        found = await made.query_points("a", query=embedded("deep sea"), limit=2, with_payload=True)
        assert found.points[0].payload == {"text": TEXTS[0], "n": 0}
        page, rest = await made.scroll("a", limit=3, order_by="n")
        assert [record.id for record in page] == [0, 1, 2]
        assert rest is None
        await made.set_payload("a", {"seen": True}, points=[1])
        seen = models.Filter(must=[models.FieldCondition(key="seen", match=models.MatchValue(value=True))])
        assert (await made.count("a", count_filter=seen)).count == 1
        await made.delete("a", seen)
        assert (await made.count("a")).count == 3
        await made.close()

    asyncio.run(work())


def test_langchain(server: Server, client: QdrantClient) -> None:
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_qdrant import FastEmbedSparse, QdrantVectorStore, RetrievalMode, SparseEmbeddings, SparseVector

    class Made(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [embedded(text) for text in texts]

        def embed_query(self, text: str) -> list[float]:
            return embedded(text)

    class Counted(SparseEmbeddings):
        def embed_documents(self, texts: list[str]) -> list[SparseVector]:
            return [self.embed_query(text) for text in texts]

        def embed_query(self, text: str) -> SparseVector:
            indices = sorted({int(hashlib.sha256(word.encode()).hexdigest()[:6], 16) for word in text.split()})
            return SparseVector(indices=indices, values=[1.0] * len(indices))

    assert FastEmbedSparse is not None
    store = QdrantVectorStore.from_texts(
        TEXTS,
        Made(),
        metadatas=[{"n": n} for n in range(len(TEXTS))],
        url=server.url,
        collection_name="lang",
        sparse_embedding=Counted(),
        retrieval_mode=RetrievalMode.HYBRID,
    )
    assert [found.page_content for found in store.similarity_search("the deep sea", k=1)] == [TEXTS[0]]
    only = models.Filter(must=[models.FieldCondition(key="metadata.n", match=models.MatchValue(value=2))])
    assert [found.metadata["n"] for found in store.similarity_search("sea", k=5, filter=only)] == [2]
    dense = QdrantVectorStore.from_documents(
        [Document(page_content=text, metadata={"n": n}) for n, text in enumerate(TEXTS)],
        Made(),
        url=server.url,
        collection_name="dense",
    )
    [(best, score)] = dense.similarity_search_with_score(TEXTS[1], k=1)
    assert best.page_content == TEXTS[1]
    assert score == pytest.approx(1.0, abs=1e-5)
    ids = dense.add_texts(["one more text"])
    assert dense.get_by_ids(ids)[0].page_content == "one more text"
    assert dense.delete(ids)
    assert dense.get_by_ids(ids) == []
    diverse = dense.max_marginal_relevance_search("the sea", k=2, fetch_k=4)
    assert len(diverse) == 2
    again = QdrantVectorStore.from_existing_collection("dense", Made(), url=server.url)
    assert len(again.as_retriever(search_kwargs={"k": 3}).invoke("bread")) == 3


def test_llama_index(server: Server, client: QdrantClient) -> None:
    from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
    from llama_index.core.vector_stores import MetadataFilter, MetadataFilters, VectorStoreQuery
    from llama_index.vector_stores.qdrant import QdrantVectorStore

    store = QdrantVectorStore(collection_name="llama", client=client)
    nodes: list[Any] = [
        TextNode(
            text=text,
            id_=f"00000000-0000-0000-0000-{n:012}",
            embedding=embedded(text),
            metadata={"n": n},
            relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=f"doc-{n % 2}")},
        )
        for n, text in enumerate(TEXTS)
    ]
    assert store.add(nodes) == [node.node_id for node in nodes]
    found = store.query(VectorStoreQuery(query_embedding=embedded(TEXTS[3]), similarity_top_k=2))
    assert found.nodes is not None
    assert found.nodes[0].get_content() == TEXTS[3]
    filters = MetadataFilters(filters=[MetadataFilter(key="n", value=1)])
    filtered = store.query(VectorStoreQuery(query_embedding=embedded("sea"), similarity_top_k=5, filters=filters))
    assert filtered.ids == [nodes[1].node_id]
    assert [node.node_id for node in store.get_nodes(node_ids=[nodes[2].node_id])] == [nodes[2].node_id]
    store.delete("doc-0")
    assert client.count("llama").count == 2
    store.delete_nodes([nodes[1].node_id])
    assert client.count("llama").count == 1
    store.clear()
    assert not client.collection_exists("llama")


def test_haystack(server: Server, client: QdrantClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAYSTACK_TELEMETRY_ENABLED", "False")
    from haystack import Document
    from haystack.document_stores.types import DuplicatePolicy
    from haystack_integrations.components.retrievers.qdrant import QdrantEmbeddingRetriever
    from haystack_integrations.document_stores.qdrant import QdrantDocumentStore

    store = QdrantDocumentStore(url=server.url, index="hay", embedding_dim=SIZE, return_embedding=True)
    documents = [
        Document(content=text, embedding=embedded(text), meta={"n": n, "kind": "even" if n % 2 == 0 else "odd"})
        for n, text in enumerate(TEXTS)
    ]
    assert store.write_documents(documents, policy=DuplicatePolicy.OVERWRITE) == len(TEXTS)
    assert store.count_documents() == len(TEXTS)
    even: dict[str, Any] = {"field": "meta.kind", "operator": "==", "value": "even"}
    assert {document.content for document in store.filter_documents(even)} == {TEXTS[0], TEXTS[2]}
    retriever = QdrantEmbeddingRetriever(document_store=store, top_k=2)
    found = retriever.run(query_embedding=embedded(TEXTS[2]))["documents"]
    assert found[0].content == TEXTS[2]
    between: dict[str, Any] = {"field": "meta.n", "operator": ">=", "value": 2}
    assert len(retriever.run(query_embedding=embedded("sea"), filters=between)["documents"]) == 2
    store.delete_documents([documents[0].id])
    assert store.count_documents() == len(TEXTS) - 1
