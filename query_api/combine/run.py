"""Plans, run over all shards."""

from query_api.combine.shards import Shards
from query_api.hits import Hit
from query_api.plan.tree import Node, Plan


async def run(shards: Shards, plan: Plan) -> list[Hit]:
    """The hits that are answered, in order. Raises what the shards do."""
    return (await _found(shards, plan.root))[plan.offset :]


async def _found(shards: Shards, node: Node) -> list[Hit]:
    return await shards.find(node)
