import assert from "node:assert/strict";

import { plain, type Checks } from "./suite.js";

const UUID = "5c56c793-69f3-4fbf-87e6-c4bf54c28c26";

export const uploads: Checks = {
  "upsert: a UUID as id": async (suite) => {
    const collection = await suite.create(plain(3));
    await suite.client.upsert(collection, {
      points: [
        {
          id: UUID,
          payload: {
            color: "red",
          },
          vector: [0.9, 0.1, 0.1],
        },
      ],
    });
    const found = await suite.point(collection, UUID);
    assert.equal(found.id, UUID);
    assert.deepEqual(found.vector, [0.9, 0.1, 0.1]);
    assert.deepEqual(found.payload, { color: "red" });
  },

  "upsert: a number as id": async (suite) => {
    const collection = await suite.create(plain(3));
    await suite.client.upsert(collection, {
      points: [
        {
          id: 1,
          payload: {
            color: "red",
          },
          vector: [0.9, 0.1, 0.1],
        },
      ],
    });
    const found = await suite.point(collection, 1);
    assert.equal(found.id, 1);
    assert.deepEqual(found.vector, [0.9, 0.1, 0.1]);
    assert.deepEqual(found.payload, { color: "red" });
  },

  "upsert: columns": async (suite) => {
    const collection = await suite.create(plain(3));
    await suite.client.upsert(collection, {
      batch: {
        ids: [1, 2, 3],
        payloads: [{ color: "red" }, { color: "green" }, { color: "blue" }],
        vectors: [
          [0.9, 0.1, 0.1],
          [0.1, 0.9, 0.1],
          [0.1, 0.1, 0.9],
        ],
      },
    });
    assert.deepEqual(await suite.remaining(collection), [1, 2, 3]);
    assert.deepEqual((await suite.point(collection, 3)).vector, [0.1, 0.1, 0.9]);
    assert.deepEqual((await suite.point(collection, 3)).payload, { color: "blue" });
  },

  "upsert: several points": async (suite) => {
    const collection = await suite.colors();
    assert.equal((await suite.client.count(collection)).count, 3);
    const vectors = [[0.9, 0.1, 0.1], [0.1, 0.9, 0.1], [0.1, 0.1, 0.9]];
    for (const [i, color] of ["red", "green", "blue"].entries()) {
      const found = await suite.point(collection, i + 1);
      assert.deepEqual(found.vector, vectors[i]);
      assert.deepEqual(found.payload, { color });
    }
  },

  "upsert: named vectors": async (suite) => {
    const collection = await suite.pictures();
    assert.deepEqual((await suite.point(collection, 1)).vector, {
      image: [0.9, 0.1, 0.1, 0.2],
      text: [0.4, 0.7, 0.1, 0.8, 0.1, 0.1, 0.9, 0.2],
    });
    assert.deepEqual((await suite.point(collection, 2)).vector, {
      image: [0.2, 0.1, 0.3, 0.9],
      text: [0.5, 0.2, 0.7, 0.4, 0.7, 0.2, 0.3, 0.9],
    });
  },

  "upsert: a point anew, with one of its vectors": async (suite) => {
    const collection = await suite.pictures();
    await suite.client.upsert(collection, { points: [{ id: 1, vector: { image: [0.5, 0.5, 0.5, 0.5] } }] });
    assert.deepEqual((await suite.point(collection, 1)).vector, { image: [0.5, 0.5, 0.5, 0.5] });
  },

  "upsert: sparse vectors": async (suite) => {
    const collection = await suite.create({ sparse_vectors: { text: {} } });
    await suite.client.upsert(collection, {
      points: [
        {
          id: 1,
          vector: {
            text: {
              indices: [6, 7],
              values: [1.0, 2.0],
            },
          },
        },
        {
          id: 2,
          vector: {
            text: {
              indices: [1, 2, 3, 4, 5],
              values: [0.1, 0.2, 0.3, 0.4, 0.5],
            },
          },
        },
      ],
    });
    assert.deepEqual((await suite.point(collection, 1)).vector, { text: { indices: [6, 7], values: [1.0, 2.0] } });
    const found = await suite.client.query(collection, {
      query: { indices: [5, 6], values: [2.0, 0.25] },
      using: "text",
    });
    assert.deepEqual(found.points.map((point) => [point.id, point.score]), [[2, 1.0], [1, 0.25]]);
  },

  "upsert: multivectors": async (suite) => {
    const collection = await suite.create({
      vectors: { size: 3, distance: "Dot", multivector_config: { comparator: "max_sim" } },
    });
    await suite.client.upsert(collection, {
      points: [
        { id: 1, vector: [[1, 0, 0], [0, 1, 0]] },
        { id: 2, vector: [[0, 0, 1]] },
      ],
    });
    assert.deepEqual((await suite.point(collection, 1)).vector, [[1, 0, 0], [0, 1, 0]]);
    const found = await suite.client.query(collection, { query: [[1, 0, 0], [0, 0.5, 0]] });
    assert.equal(found.points[0].id, 1);
    assert.equal(found.points[0].score, 1.5);
  },

  "upsert: payload of every type": async (suite) => {
    const collection = await suite.create(plain(3));
    const payload = {
      string: "value",
      integer: -7,
      float: 0.25,
      bool: true,
      null: null,
      list: ["a", 1, false],
      object: { nested: { key: "inner" } },
    };
    await suite.client.upsert(collection, { points: [{ id: 1, vector: [0.9, 0.1, 0.1], payload }] });
    assert.deepEqual((await suite.point(collection, 1)).payload, payload);
  },

  "upsert: where a filter passes": async (suite) => {
    const collection = await suite.colors();
    for (const [color, wanted] of [["yellow", "red"], ["red", "after red"]]) {
      await suite.client.upsert(collection, {
        points: [{ id: 1, vector: [0.5, 0.5, 0.5], payload: { color: `after ${color}` } }],
        update_filter: { must: [{ key: "color", match: { value: color } }] },
      });
      assert.deepEqual((await suite.point(collection, 1)).payload, { color: wanted });
    }
    assert.deepEqual((await suite.point(collection, 1)).vector, [0.5, 0.5, 0.5]);
  },

  "upsert: only what is new": async (suite) => {
    const collection = await suite.colors();
    await suite.client.upsert(collection, {
      points: [
        { id: 3, vector: [0.5, 0.5, 0.5] },
        { id: 4, vector: [0.5, 0.5, 0.5] },
      ],
      update_mode: "insert_only",
    });
    assert.deepEqual((await suite.point(collection, 3)).vector, [0.1, 0.1, 0.9]);
    assert.deepEqual((await suite.point(collection, 4)).vector, [0.5, 0.5, 0.5]);
  },
};
