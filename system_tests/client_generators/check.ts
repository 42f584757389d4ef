// What an app in TypeScript does with the types that openapi-typescript makes (types.ts)
// and with the client of openapi-generator (fetch/). It is checked, and not run.
import { Configuration, InvoicesApi, UsageApi, type UsageEvent } from "./fetch/index.js";
import type { components, paths } from "./types.js";

type Event = components["schemas"]["UsageEvent"];
type Recording = paths["/usage"]["post"];
type Listed = paths["/events"]["get"]["responses"][200]["content"]["application/json"];

const event: Event = {
  subscription_external_id: "sub-1",
  metric_code: "calls",
  quantity: "1.25",
  period_start: "2026-01-10T09:00:00Z",
  period_end: "2026-01-10T10:00:00Z",
};

export const body: Recording["requestBody"]["content"]["application/json"] = {
  events: [event],
};

// @ts-expect-error: no event has a discount
export const discounted: Event = { ...event, discount: 10 };

// @ts-expect-error: an event is of a time
export const timeless: Event = { metric_code: "calls", quantity: "1" };

export function undelivered(page: Listed): string[] {
  return page.events.filter((e) => e.state === "dead").map((e) => e.event_id);
}

export async function send(key: string): Promise<number> {
  const configuration = new Configuration({ accessToken: key });
  const made: UsageEvent = {
    subscriptionExternalId: "sub-1",
    metricCode: "calls",
    quantity: "1.25",
    periodStart: new Date("2026-01-10T09:00:00Z"),
    periodEnd: new Date("2026-01-10T10:00:00Z"),
  };
  const usageRequest = { events: [made] };
  const answer = await new UsageApi(configuration).recordUsage({ usageRequest });
  const pdf: Blob = await new InvoicesApi(configuration).getInvoicePdf({ invoiceId: 88 });
  return answer.accepted + pdf.size;
}
