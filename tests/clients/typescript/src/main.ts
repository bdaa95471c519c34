// The TypeScript snippets of Qdrant's documentation, against the server whose REST port is the first argument.
//
// Each snippet that did what it says is told by a line "ok NAME"; the first that didn't ends the program.
import { changes } from "./changes.js";
import { optimizing } from "./optimizing.js";
import { reads } from "./reads.js";
import { uploads } from "./uploads.js";
import { Suite } from "./suite.js";

const port = Number(process.argv[2]);
if (process.argv.length !== 3 || !Number.isInteger(port)) {
  console.error("usage: main.js REST_PORT");
  process.exit(2);
}
const suite = new Suite(port);
for (const [name, check] of Object.entries({ ...uploads, ...changes, ...reads, ...optimizing })) {
  try {
    await check(suite);
  } catch (error) {
    console.error(`FAILED ${name}:`, error);
    process.exit(1);
  }
  console.log(`ok ${name}`);
}
