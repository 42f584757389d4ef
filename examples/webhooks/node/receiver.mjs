// Receives the webhooks of Fusion Centralized Billing.
//
// The order of things is the point: verify over the raw bytes, note the event down under
// its id, answer, and only then do the work. An event arrives at least once: its id is the
// name of its file, so that the second time it is known. What was noted down and not
// handled yet is handled after a restart.

import { createServer } from "node:http";
import { link, mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { randomUUID } from "node:crypto";
import { Webhook } from "standardwebhooks";

const MAX_BYTES = 1024 * 1024;
const EVENT_ID = /^[A-Za-z0-9_-]{1,100}$/; // it becomes a file's name
const inbox = process.env.INBOX ?? "inbox";
const events = path.join(inbox, "events"); // one file each, for ever
const done = path.join(inbox, "done"); // a mark for each that was handled

const secret = process.env.WEBHOOK_SECRET ?? "";
if (!secret.startsWith("whsec_")) {
  console.error("Set WEBHOOK_SECRET to the service's secret, of the form whsec_...");
  process.exit(1);
}
const webhook = new Webhook(secret);

/** Your own work goes here. After a crash it may be done twice. */
async function handle(event) {
  console.log(`${event.id} ${event.type}`);
}

/** Write an event down; false when it is known already. */
async function note(id, body) {
  // written under another name first: an event that is there is complete
  const draft = path.join(inbox, `${randomUUID()}.draft`);
  const file = await open(draft, "wx");
  try {
    await file.writeFile(body);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, path.join(events, id)); // fails when it is there
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft);
  }
}

const waiting = [];
let working = false;

/** Handle what is waiting, one after another. */
async function work() {
  if (working) return;
  working = true;
  try {
    for (; waiting.length > 0; waiting.shift()) {
      const id = waiting[0];
      await handle(JSON.parse(await readFile(path.join(events, id), "utf8")));
      await writeFile(path.join(done, id), "");
    }
  } catch (error) {
    console.error(error); // it stays there, and is tried again
    setTimeout(work, 10_000);
  } finally {
    working = false;
  }
}

/** The body's bytes as they came; null when there are too many. */
async function read(request) {
  if (Number(request.headers["content-length"]) > MAX_BYTES) return null;
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > MAX_BYTES) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function receive(request) {
  if (request.method !== "POST") return 405;
  const body = await read(request);
  if (body === null) return 413;
  const id = request.headers["webhook-id"];
  try {
    webhook.verify(body, request.headers);
  } catch {
    return 401;
  }
  if (!EVENT_ID.test(id)) return 400;
  if (await note(id, body)) {
    waiting.push(id);
    setImmediate(work);
  }
  return 204; // a repetition, too: it is taken care of
}

await mkdir(events, { recursive: true });
await mkdir(done, { recursive: true });
const handled = new Set(await readdir(done));
waiting.push(...(await readdir(events)).filter((id) => !handled.has(id)));
const server = createServer(async (request, response) => {
  let status = 500; // it will be sent again
  try {
    status = await receive(request);
  } catch (error) {
    console.error(error);
  }
  if (status === 413) response.setHeader("Connection", "close");
  response.writeHead(status).end();
});
server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => {
  console.log(`listening on port ${server.address().port}`);
  work();
});
