"use strict";

const EVERY_MS = 2000;
const DEMO = "words";
const KEY = "headwater-api-key";
const find = (id) => document.getElementById(id);

async function ask(path, body) {
  const headers = { "content-type": "application/json" };
  const key = sessionStorage.getItem(KEY);
  if (key) headers["api-key"] = key;
  const options = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
  const answer = await fetch(path, options);
  const text = await answer.text();
  if (answer.status === 401 || answer.status === 403) {
    find("key-form").hidden = false;
    throw new Error("this server asks for an API key");
  }
  if (!answer.ok) throw new Error(text.slice(0, 300));
  return JSON.parse(text).result;
}

function cell(value, kind) {
  const made = document.createElement("td");
  made.textContent = typeof value === "number" ? value.toLocaleString("en") : value ?? "";
  if (kind) made.className = kind;
  return made;
}

function fill(id, rows, none) {
  const body = find(id).tBodies[0];
  const lines = rows.map((cells) => {
    const line = document.createElement("tr");
    line.append(...cells);
    return line;
  });
  if (!lines.length) {
    const line = document.createElement("tr");
    const only = cell(none, "none");
    only.colSpan = 10;
    line.append(only);
    lines.push(line);
  }
  body.replaceChildren(...lines);
}

function show(status) {
  find("version").textContent = status.version;
  const ready = find("ready");
  ready.textContent = status.ready;
  ready.className = `badge ${status.ready === "ready" ? "green" : "yellow"}`;
  fill("collections", status.collections.map((c) => [
    cell(c.name), cell(c.status, c.status), cell(c.points, "number"), cell(c.segments, "number"),
    cell(c.indexed_vectors, "number"), cell(c.queued, "number"), cell(c.aliases.join(", ")),
  ]), "none yet");
  fill("partitions", status.partitions.map((p) => [
    cell(p.topic), cell(p.partition, "number"), cell(p.end, "number"), cell(p.applied_lag ?? "–", "number"),
    cell(p.visible, "number"), cell(p.visible_lag, "number"),
  ]), "none");
  find("rejected-count").textContent = status.rejected.count.toLocaleString("en");
  fill("rejected", status.rejected.last.map((r) => [cell(r.offset, "number"), cell(r.origin), cell(r.reason)]), "none");
  find("demo").hidden = !status.collections.some((c) => c.name === DEMO);
}

async function refresh() {
  const trouble = find("trouble");
  try {
    show(await ask("dashboard/status"));
    trouble.hidden = true;
  } catch (error) {
    trouble.textContent = `What is shown may be old: ${error.message}`;
    trouble.hidden = false;
  }
  setTimeout(refresh, EVERY_MS);
}

async function search(word) {
  const filter = { must: [{ key: "word", match: { value: word } }] };
  const found = await ask(`collections/${DEMO}/points/scroll`, { filter, limit: 1 });
  if (!found.points.length) return [`the demo does not have “${word}”`];
  const near = { query: found.points[0].id, limit: 10, with_payload: ["word"] };
  const answer = await ask(`collections/${DEMO}/points/query`, near);
  return answer.points.map((hit) => `${hit.payload.word} (${hit.score.toFixed(3)})`);
}

find("search-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  let lines;
  try {
    lines = await search(find("word").value.trim().toLowerCase());
  } catch (error) {
    lines = [error.message];
  }
  find("hits").replaceChildren(...lines.map((line) => {
    const item = document.createElement("li");
    item.textContent = line;
    return item;
  }));
});

find("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, find("key").value);
  find("key-form").hidden = true;
});

refresh();
