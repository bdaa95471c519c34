import { QdrantClient } from "@qdrant/js-client-rest";

export type Check = (suite: Suite) => Promise<void>;
export type Checks = Record<string, Check>;

type Config = Parameters<QdrantClient["createCollection"]>[1];

const COLLECTION = "typescript-snippets";

export const PICTURES = {
  vectors: {
    image: { size: 4, distance: "Dot" },
    text: { size: 8, distance: "Dot" },
  },
} satisfies Config;

export const plain = (size: number): Config => ({ vectors: { size, distance: "Dot" } });

/** What the checks share: a client, and collections to work on. */
export class Suite {
  readonly client: QdrantClient;

  constructor(port: number) {
    this.client = new QdrantClient({ host: "127.0.0.1", port });
  }

  /** Makes an empty collection, in the place of the one before it. */
  async create(config: Config): Promise<string> {
    if ((await this.client.collectionExists(COLLECTION)).exists) {
      await this.client.deleteCollection(COLLECTION);
    }
    await this.client.createCollection(COLLECTION, config);
    return COLLECTION;
  }

  /** Makes a collection of three points: red, green and blue. */
  async colors(): Promise<string> {
    const collection = await this.create(plain(3));
    await this.client.upsert(collection, {
      points: [
        {
          id: 1,
          vector: [0.9, 0.1, 0.1],
          payload: { color: "red" },
        },
        {
          id: 2,
          vector: [0.1, 0.9, 0.1],
          payload: { color: "green" },
        },
        {
          id: 3,
          vector: [0.1, 0.1, 0.9],
          payload: { color: "blue" },
        },
      ],
    });
    return collection;
  }

  /** Makes a collection of two points with two vectors each. */
  async pictures(): Promise<string> {
    const collection = await this.create(PICTURES);
    await this.client.upsert(collection, {
      points: [
        {
          id: 1,
          vector: {
            image: [0.9, 0.1, 0.1, 0.2],
            text: [0.4, 0.7, 0.1, 0.8, 0.1, 0.1, 0.9, 0.2],
          },
        },
        {
          id: 2,
          vector: {
            image: [0.2, 0.1, 0.3, 0.9],
            text: [0.5, 0.2, 0.7, 0.4, 0.7, 0.2, 0.3, 0.9],
          },
        },
      ],
    });
    return collection;
  }

  /** Reads one point back whole; undefined if there is none. */
  async point(collection: string, id: string | number) {
    const found = await this.client.retrieve(collection, { ids: [id], with_payload: true, with_vector: true });
    return found[0];
  }

  /** Which points there are. */
  async remaining(collection: string) {
    return (await this.client.scroll(collection, {})).points.map((point) => point.id);
  }
}
