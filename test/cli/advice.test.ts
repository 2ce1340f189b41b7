/** What explain offers next: only what can come true. */
import { expect, test } from "vitest";
import { adviceFor } from "../../src/cli/advice.ts";
import type { EventSummary } from "../../src/cli/shapes.ts";

const event = (changes: Partial<EventSummary>): EventSummary => ({
  event_id: "01a229b3-f484-7144-807b-55f067f788ac",
  message_id: null,
  tenant: "acme",
  received_at: "2026-11-29T00:00:00.000Z",
  source: "smtp",
  routes: [],
  stage: "prepared",
  parse_status: "ok",
  raw: { sha256: "", size: 1, place: "inline" },
  conflict: false,
  deliveries: [],
  ...changes,
});
const pending: EventSummary["deliveries"][number] = {
  id: 1,
  destination: "crm",
  state: "pending",
  rule: null,
  reason: null,
  detail: null,
  attempts: 0,
  due_at: null,
  settled_at: null,
  mapping_version: 1,
  steps: [],
};

test.each([
  ["a delivery whose destination", event({ deliveries: [pending] }), [{ id: "acme", destinations: [{ id: "other" }] }]],
  ["a delivery whose tenant", event({ deliveries: [pending] }), []],
  ["a message whose tenant", event({ stage: "accepted" }), [{ id: "other", destinations: [{ id: "crm" }] }]],
])("%s has left the configuration is not said to be worked by a daemon", (_, waiting, tenants) => {
  const [advice] = adviceFor(waiting, { lanes: [], tenants, now: 0 });
  expect(advice?.what).toContain("is not in the configuration any more, so that nobody works it");
  expect(advice?.command).toBeNull();
});

test("what is in the configuration is", () => {
  const tenants = [{ id: "acme", destinations: [{ id: "crm" }] }];
  const [advice] = adviceFor(event({ deliveries: [pending] }), { lanes: [], tenants, now: 0 });
  expect(advice?.what).toContain("a running daemon delivers it");
});
