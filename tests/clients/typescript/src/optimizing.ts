import assert from "node:assert/strict";

import type { QdrantClient } from "@qdrant/js-client-rest";

import type { Check, Checks, Suite } from "./suite.js";

type Info = Awaited<ReturnType<QdrantClient["getCollection"]>>;
type Found = Awaited<ReturnType<QdrantClient["query"]>>;

const SCALAR = { scalar: { type: "int8", always_ram: true } } as const;

async function created(suite: Suite, config: Parameters<Suite["create"]>[0]): Promise<Info["config"]> {
  const { config: read } = await suite.client.getCollection(await suite.create(config));
  const vectors = read.params.vectors;
  assert.ok(vectors !== undefined && "size" in vectors);
  assert.equal(vectors.size, 768);
  assert.equal(vectors.distance, "Cosine");
  return read;
}

function onDisk(config: Info["config"]): unknown {
  return config.params.vectors?.on_disk;
}

/** Makes a collection of quantized vectors to search in; the fourth is what the queries ask for. */
async function searched(suite: Suite): Promise<string> {
  const collection = await suite.create({
    vectors: { size: 4, distance: "Cosine", on_disk: true },
    quantization_config: SCALAR,
  });
  const vectors = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0.2, 0.1, 0.9, 0.7]];
  await suite.client.upsert(collection, { points: vectors.map((vector, i) => ({ id: i + 1, vector })) });
  return collection;
}

function checkNearest({ points }: Found): void {
  assert.deepEqual(points.map((point) => point.id), [4, 3, 1]);
  assert.ok(points[0].score > 0.98 && points[0].score < 1.02);
}

const segments = (number: number): Check => async (suite) => {
  const config = await created(suite, {
    vectors: {
      size: 768,
      distance: "Cosine",
    },
    optimizers_config: {
      default_segment_number: number,
    },
  });
  assert.equal(config.optimizer_config.default_segment_number, number);
};

export const optimizing: Checks = {
  "create: vectors on disk, quantized in memory": async (suite) => {
    const config = await created(suite, {
      vectors: {
        size: 768,
        distance: "Cosine",
        on_disk: true,
      },
      quantization_config: {
        scalar: {
          type: "int8",
          always_ram: true,
        },
      },
    });
    assert.equal(onDisk(config), true);
    assert.deepEqual(config.quantization_config, SCALAR);
  },

  "query: without rescoring": async (suite) => {
    const found = await suite.client.query(await searched(suite), {
      query: [0.2, 0.1, 0.9, 0.7],
      params: {
        quantization: {
          rescore: false,
        },
      },
      limit: 3,
    });
    checkNearest(found);
  },

  "create: vectors and graph on disk": async (suite) => {
    const config = await created(suite, {
      vectors: {
        size: 768,
        distance: "Cosine",
        on_disk: true,
      },
      hnsw_config: {
        on_disk: true,
      },
    });
    assert.equal(onDisk(config), true);
    assert.equal(config.hnsw_config.on_disk, true);
  },

  "create: a denser graph": async (suite) => {
    const config = await created(suite, {
      vectors: { size: 768, distance: "Cosine", on_disk: true },
      hnsw_config: {
        m: 64,
        ef_construct: 512,
        on_disk: true,
      },
    });
    assert.equal(config.hnsw_config.m, 64);
    assert.equal(config.hnsw_config.ef_construct, 512);
    assert.equal(config.hnsw_config.on_disk, true);
  },

  "create: quantized in memory": async (suite) => {
    const config = await created(suite, {
      vectors: {
        size: 768,
        distance: "Cosine",
      },
      quantization_config: {
        scalar: {
          type: "int8",
          always_ram: true,
        },
      },
    });
    assert.ok(!onDisk(config));
    assert.deepEqual(config.quantization_config, SCALAR);
  },

  "query: hnsw_ef": async (suite) => {
    const found = await suite.client.query(await searched(suite), {
      query: [0.2, 0.1, 0.9, 0.7],
      params: {
        hnsw_ef: 128,
        exact: false,
      },
      limit: 3,
    });
    checkNearest(found);
  },

  "query: exact": async (suite) => {
    const found = await suite.client.query(await searched(suite), {
      query: [0.2, 0.1, 0.9, 0.7],
      params: {
        exact: true,
      },
      limit: 3,
    });
    checkNearest(found);
  },

  "create: 16 segments": segments(16),
  "create: 2 segments": segments(2),

  "update a collection": async (suite) => {
    const collection = await suite.create({ vectors: { size: 768, distance: "Cosine" } });
    await suite.client.updateCollection(collection, {
      vectors: { "": { on_disk: true } },
      hnsw_config: { m: 32 },
      optimizers_config: { indexing_threshold: 10000 },
      quantization_config: SCALAR,
    });
    const { config } = await suite.client.getCollection(collection);
    assert.equal(onDisk(config), true);
    assert.equal(config.hnsw_config.m, 32);
    assert.equal(config.optimizer_config.indexing_threshold, 10000);
    assert.deepEqual(config.quantization_config, SCALAR);
  },
};
