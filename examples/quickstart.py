"""Headwater from Python, with the ordinary qdrant-client: start a server with scripts/serve, then run this."""

import os

from qdrant_client import QdrantClient, models

client = QdrantClient(url=os.environ.get("URL", "http://localhost:6333"))

# A collection of 4-dimensional vectors, compared by angle. Its name is this example's own: a second run starts afresh.
NAME = "quickstart-cities"
if client.collection_exists(NAME):
    client.delete_collection(NAME)
client.create_collection(NAME, vectors_config=models.VectorParams(size=4, distance=models.Distance.COSINE))

# Points are an id, a vector and a JSON payload. wait=True: every reader sees them when this returns.
cities = [
    (1, [0.05, 0.61, 0.76, 0.74], {"name": "Berlin", "country": "Germany", "population": 3_700_000}),
    (2, [0.19, 0.81, 0.75, 0.11], {"name": "London", "country": "United Kingdom", "population": 8_900_000}),
    (3, [0.36, 0.55, 0.47, 0.94], {"name": "Hamburg", "country": "Germany", "population": 1_900_000}),
    (4, [0.18, 0.01, 0.85, 0.80], {"name": "New York", "country": "United States", "population": 8_300_000}),
    (5, [0.24, 0.18, 0.22, 0.44], {"name": "Munich", "country": "Germany", "population": 1_500_000}),
]
client.upload_points(
    NAME,
    points=[models.PointStruct(id=id, vector=vector, payload=payload) for id, vector, payload in cities],
    wait=True,
)

# The nearest points, of all and of those that pass a filter.
query = [0.2, 0.1, 0.9, 0.7]
for hit in client.query_points(NAME, query=query, limit=3, with_payload=True).points:
    print(f"{hit.score:.3f}  {hit.payload}")

german = models.Filter(
    must=[models.FieldCondition(key="country", match=models.MatchValue(value="Germany"))],
)
for hit in client.query_points(NAME, query=query, query_filter=german, limit=3).points:
    print(f"{hit.score:.3f}  {hit.payload}")

# How many there are, and all of them in order of id, a page at a time.
print(client.count(NAME, count_filter=german, exact=True).count, "cities in Germany")

offset = None
while True:
    page, offset = client.scroll(NAME, limit=2, offset=offset)
    print([point.id for point in page])
    if offset is None:
        break

# Several operations in one request, applied in order.
results = client.batch_update_points(
    NAME,
    update_operations=[
        models.SetPayloadOperation(set_payload=models.SetPayload(payload={"visited": True}, points=[1, 3])),
        models.DeleteOperation(delete=models.PointIdsList(points=[5])),
    ],
    wait=True,
)

# operation_id is where the operation stands in the log: "headwater log tail --from" shows it.
print("log offsets:", [result.operation_id for result in results])

# An alias is a second name that can be moved to another collection in one step.
client.update_collection_aliases(
    change_aliases_operations=[
        models.CreateAliasOperation(
            create_alias=models.CreateAlias(collection_name=NAME, alias_name="quickstart-places"),
        ),
    ],
)
print(client.count("quickstart-places", exact=True).count, "quickstart-places")
