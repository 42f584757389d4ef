// Verifies captured webhooks with the public libraries for JavaScript; as verify.py does.

import { readFileSync } from "node:fs";
import * as standardwebhooks from "standardwebhooks";
import * as svix from "svix";

const given = JSON.parse(readFileSync(0, "utf8"));

function verifies({ Webhook, WebhookVerificationError }, secret, request) {
  try {
    new Webhook(secret).verify(request.body, request.headers);
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
}

const found = {};
for (const [name, library] of Object.entries({ standardwebhooks, svix })) {
  found[name] = given.requests.map((request) =>
    given.secrets.map((secret) => verifies(library, secret, request)),
  );
}
console.log(JSON.stringify(found));
