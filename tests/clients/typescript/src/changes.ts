import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";

import type { QdrantClient } from "@qdrant/js-client-rest";

import { PICTURES, plain, type Checks } from "./suite.js";

/** Those of the documentation's batch, in its order. */
const OPERATIONS: Parameters<QdrantClient["batchUpdate"]>[1]["operations"] = [
  {
    upsert: {
      points: [
        {
          id: 1,
          vector: [1.0, 2.0, 3.0, 4.0],
          payload: {},
        },
      ],
    },
  },
  {
    update_vectors: {
      points: [
        {
          id: 1,
          vector: [1.0, 2.0, 3.0, 4.0],
        },
      ],
    },
  },
  {
    delete_vectors: {
      points: [1],
      vector: [""],
    },
  },
  {
    overwrite_payload: {
      payload: {
        test_payload: 1,
      },
      points: [1],
    },
  },
  {
    set_payload: {
      payload: {
        test_payload_2: 2,
        test_payload_3: 3,
      },
      points: [1],
    },
  },
  {
    delete_payload: {
      keys: ["test_payload_2"],
      points: [1],
    },
  },
  {
    clear_payload: {
      points: [1],
    },
  },
  {
    delete: {
      points: [1],
    },
  },
];

const RED = { must: [{ key: "color", match: { value: "red" } }] };

export const changes: Checks = {
  "update vectors": async (suite) => {
    const collection = await suite.pictures();
    await suite.client.updateVectors(collection, {
      points: [
        {
          id: 1,
          vector: {
            image: [0.1, 0.2, 0.3, 0.4],
          },
        },
        {
          id: 2,
          vector: {
            text: [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2],
          },
        },
      ],
    });
    assert.deepEqual((await suite.point(collection, 1)).vector, {
      image: [0.1, 0.2, 0.3, 0.4],
      text: [0.4, 0.7, 0.1, 0.8, 0.1, 0.1, 0.9, 0.2],
    });
    assert.deepEqual((await suite.point(collection, 2)).vector, {
      image: [0.2, 0.1, 0.3, 0.9],
      text: [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2],
    });
  },

  "delete vectors": async (suite) => {
    const collection = await suite.create(PICTURES);
    const points = [0, 3, 10].map((id) => ({ id, vector: { image: [0.9, 0.1, 0.1, 0.2] } }));
    await suite.client.upsert(collection, { points });
    await suite.client.deleteVectors(collection, {
      points: [0, 3, 10],
      vector: ["text", "image"],
    });
    for (const id of [0, 3, 10]) {
      const found = await suite.point(collection, id);
      assert.equal(found.id, id);
      assert.deepEqual(found.vector, {});
    }
  },

  "payload: set": async (suite) => {
    const collection = await suite.colors();
    await suite.client.setPayload(collection, { payload: { property1: "string" }, points: [1, 3] });
    assert.deepEqual((await suite.point(collection, 1)).payload, { color: "red", property1: "string" });
    assert.deepEqual((await suite.point(collection, 2)).payload, { color: "green" });
    await suite.client.setPayload(collection, {
      payload: { inner: 1 },
      key: "nested",
      filter: { must: [{ key: "color", match: { value: "green" } }] },
    });
    assert.deepEqual((await suite.point(collection, 2)).payload, { color: "green", nested: { inner: 1 } });
  },

  "payload: overwrite": async (suite) => {
    const collection = await suite.colors();
    await suite.client.overwritePayload(collection, { payload: { property1: "string" }, points: [1] });
    assert.deepEqual((await suite.point(collection, 1)).payload, { property1: "string" });
  },

  "payload: delete keys": async (suite) => {
    const collection = await suite.colors();
    await suite.client.deletePayload(collection, { keys: ["color", "price"], points: [1] });
    assert.deepEqual((await suite.point(collection, 1)).payload, {});
    assert.deepEqual((await suite.point(collection, 2)).payload, { color: "green" });
  },

  "payload: clear": async (suite) => {
    const collection = await suite.colors();
    await suite.client.clearPayload(collection, { filter: RED });
    assert.deepEqual((await suite.point(collection, 1)).payload, {});
    assert.deepEqual((await suite.point(collection, 2)).payload, { color: "green" });
  },

  "delete: ids": async (suite) => {
    const collection = await suite.colors();
    await suite.client.delete(collection, {
      points: [0, 3, 100],
    });
    assert.deepEqual(await suite.remaining(collection), [1, 2]);
  },

  "delete: a filter": async (suite) => {
    const collection = await suite.colors();
    await suite.client.delete(collection, {
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
    });
    assert.deepEqual(await suite.remaining(collection), [2, 3]);
  },

  "batch update: until the payload is changed": async (suite) => {
    const collection = await suite.create(plain(4));
    const done = await suite.client.batchUpdate(collection, { operations: OPERATIONS.slice(0, 6) });
    assert.deepEqual(done.map((one) => one.status), Array(6).fill("completed"));
    const found = await suite.point(collection, 1);
    assert.deepEqual(found.payload, { test_payload: 1, test_payload_3: 3 });
    assert.deepEqual(found.vector, {});
  },

  "batch update: every operation": async (suite) => {
    const collection = await suite.create(plain(4));
    const done = await suite.client.batchUpdate(collection, { operations: OPERATIONS });
    assert.deepEqual(done.map((one) => one.status), Array(8).fill("completed"));
    assert.deepEqual(await suite.remaining(collection), []);
  },

  "awaiting the result, and not": async (suite) => {
    const collection = await suite.create(plain(3));
    const completed = await suite.client.upsert(collection, {
      wait: true,
      points: [{ id: 1, vector: [0.9, 0.1, 0.1] }],
    });
    assert.equal(completed.status, "completed");
    assert.notEqual(await suite.point(collection, 1), undefined);
    const acknowledged = await suite.client.upsert(collection, {
      wait: false,
      points: [{ id: 2, vector: [0.1, 0.9, 0.1] }],
    });
    assert.equal(acknowledged.status, "acknowledged");
    const deadline = Date.now() + 60_000;
    while ((await suite.point(collection, 2)) === undefined) {
      assert.ok(Date.now() < deadline);
      await setTimeout(10);
    }
  },
};
