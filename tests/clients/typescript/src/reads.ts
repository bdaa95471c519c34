import assert from "node:assert/strict";

import { PICTURES, plain, type Checks, type Suite } from "./suite.js";

/** Makes a collection of points with a color and a timestamp, which is indexed. */
async function dated(suite: Suite): Promise<string> {
  const collection = await suite.create(plain(3));
  const stamps = [300, 100, 123, 200, 50];
  const points = ["red", "green", "red", "blue", "red"].map((color, id) => ({
    id,
    vector: [0.9, 0.1, 0.1],
    payload: { color, timestamp: stamps[id] },
  }));
  await suite.client.upsert(collection, { points });
  await suite.client.createPayloadIndex(collection, { field_name: "timestamp", field_schema: "integer", wait: true });
  return collection;
}

export const reads: Checks = {
  "retrieve: ids": async (suite) => {
    const found = await suite.client.retrieve(await suite.colors(), {
      ids: [0, 3, 100],
    });
    assert.deepEqual(found, [{ id: 3, payload: { color: "blue" } }]);
  },

  "retrieve: parts of a point": async (suite) => {
    const collection = await suite.create(PICTURES);
    const image = [0.9, 0.1, 0.1, 0.2];
    await suite.client.upsert(collection, {
      points: [
        {
          id: 1,
          vector: { image, text: [0.4, 0.7, 0.1, 0.8, 0.1, 0.1, 0.9, 0.2] },
          payload: { color: "red", city: "Berlin", price: 12 },
        },
      ],
    });
    const some = await suite.client.retrieve(collection, {
      ids: [1],
      with_payload: ["color", "city"],
      with_vector: ["image"],
    });
    assert.deepEqual(some, [{ id: 1, payload: { color: "red", city: "Berlin" }, vector: { image } }]);
    const others = await suite.client.retrieve(collection, {
      ids: [1],
      with_payload: { exclude: ["color", "city"] },
    });
    assert.deepEqual(others, [{ id: 1, payload: { price: 12 } }]);
  },

  "scroll: a filter, page by page": async (suite) => {
    const collection = await dated(suite);
    const seen = [];
    let offset: Awaited<ReturnType<typeof suite.client.scroll>>["next_page_offset"];
    do {
      const page = await suite.client.scroll(collection, {
        filter: {
          must: [
            {
              key: "color",
              match: {
                value: "red",
              },
            },
          ],
        },
        limit: 1,
        offset: offset as number | undefined,
        with_payload: true,
        with_vector: false,
      });
      assert.equal(page.points.length, 1);
      assert.equal(page.points[0].payload?.color, "red");
      assert.equal(page.points[0].vector, undefined);
      seen.push(page.points[0].id);
      offset = page.next_page_offset;
    } while (offset !== null && offset !== undefined);
    assert.deepEqual(seen, [0, 2, 4]);
  },

  "scroll: in the order of a key": async (suite) => {
    const found = await suite.client.scroll(await dated(suite), {
      limit: 15,
      order_by: "timestamp",
    });
    assert.deepEqual(found.points.map((point) => point.id), [4, 1, 2, 3, 0]);
    assert.equal(found.points[0].order_value, 50);
  },

  "scroll: descending, from a value": async (suite) => {
    const found = await suite.client.scroll(await dated(suite), {
      limit: 15,
      order_by: {
        key: "timestamp",
        direction: "desc",
        start_from: 123,
      },
    });
    assert.deepEqual(found.points.map((point) => point.id), [2, 1, 4]);
  },

  "count: a filter": async (suite) => {
    const found = await suite.client.count(await dated(suite), {
      filter: {
        must: [
          {
            key: "color",
            match: {
              value: "red",
            },
          },
        ],
      },
      exact: true,
    });
    assert.equal(found.count, 3);
  },
};
