"""Plans, run over all shards."""

import asyncio
from collections.abc import Coroutine, Sequence
from time import perf_counter
from typing import Any

import msgspec

from query_api.combine.alike import Alike
from query_api.combine.formula import by_formula
from query_api.combine.fusion import by_ranks, by_scores, fusion_us
from query_api.combine.mmr import diversified, diversified_us
from query_api.combine.shards import Shards
from query_api.explain import NodeNote, since
from query_api.hits import Hit
from query_api.plan.filters import both, only
from query_api.plan.leaves import Leaf
from query_api.plan.selection import Selection
from query_api.plan.tree import ByFormula, Diversify, Inner, InnerNode, Node, Plan, RankFusion, Rescore, ScoreFusion


async def run(shards: Shards, plan: Plan, note: NodeNote | None = None) -> list[Hit]:
    """The hits that are answered, in order; ``note``, that of the root, is told about. Raises what the shards do."""
    hits = await found(shards, plan.root, note)
    return hits[plan.offset :] if plan.offset else hits


def note_of(node: Node) -> NodeNote:
    """A node's note, to be told what is done."""
    tag = str(node.__struct_config__.tag)
    using = getattr(node, "using", None)
    return NodeNote(tag, node.limit, using, isinstance(node, Leaf) and node.filter is not None, parts=[], inputs=[])


def found(shards: Shards, node: Node, note: NodeNote | None = None) -> Coroutine[Any, Any, list[Hit]]:
    """What a node finds, in order. Raises as ``run``."""
    if note is not None:
        return _noted(shards, node, note)
    return shards.find(node) if isinstance(node, Leaf) else _combined(shards, node, None)


async def _noted(shards: Shards, node: Node, note: NodeNote) -> list[Hit]:
    started = perf_counter()
    hits = await (shards.find(node, note) if isinstance(node, Leaf) else _combined(shards, node, note))
    note.found, note.microseconds = len(hits), since(started)
    return hits


async def _combined(shards: Shards, node: InnerNode, note: NodeNote | None) -> list[Hit]:
    inputs = await _all(shards, node.inputs, note)
    match node:
        case RankFusion():
            hits = await shards.compute(lambda: by_ranks(node, inputs), fusion_us(inputs))
        case ScoreFusion():
            hits = await shards.compute(lambda: by_scores(node, inputs), fusion_us(inputs))
        case ByFormula():
            hits = await by_formula(shards, node.formula, inputs)
        case Diversify():
            return await _diversify(shards, node, inputs[0])
        case Rescore():
            return await _rescore(shards, node.leaf, inputs, note)
    return _least(hits, node)


async def _all(shards: Shards, nodes: Sequence[Node], note: NodeNote | None) -> list[list[Hit]]:
    notes = [None if note is None else note_of(node) for node in nodes]
    if note is not None:
        note.inputs += [mine for mine in notes if mine is not None]
    if len(nodes) == 1:
        return [await found(shards, nodes[0], notes[0])]
    return await asyncio.gather(*(found(shards, *pair) for pair in zip(nodes, notes, strict=True)))


def _least(hits: list[Hit], node: Inner) -> list[Hit]:
    if node.score_threshold is not None:
        hits = [hit for hit in hits if hit.score >= node.score_threshold]
    return hits[: node.limit]


async def _rescore(shards: Shards, leaf: Leaf, inputs: Sequence[Sequence[Hit]], note: NodeNote | None) -> list[Hit]:
    ids = frozenset(hit.id for hits in inputs for hit in hits)
    if not ids:
        return []
    return await shards.find(msgspec.structs.replace(leaf, filter=both(leaf.filter, only(ids))), note)


async def _diversify(shards: Shards, node: Diversify, hits: list[Hit]) -> list[Hit]:
    if not hits:
        return []
    points = await shards.fetch(hits, Selection(with_payload=False, with_vector=(node.using,)))
    vectors = [(point.vectors or {})[node.using] for point in points]
    alike = Alike(node.params, vectors)
    spent = diversified_us(len(hits), alike, node.limit)
    return await shards.compute(lambda: diversified(hits, alike, node.diversity, node.limit), spent)
