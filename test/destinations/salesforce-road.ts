/** Salesforce at the end of the road, where its mails take no unique key: the harder way; sessions end in mid-queue. */
import { createSalesforceSandbox, type SalesforceState, sandboxApp } from "../../src/sandbox/salesforce.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import type { RoadRig } from "./road.ts";

// The rig opens no other sandbox.
const stateOf = (sandbox: Sandbox): SalesforceState => sandbox.state() as SalesforceState;

export const salesforceRoad: RoadRig = {
  name: "salesforce",
  settings: {
    base_url: "http://salesforce.invalid",
    client_id: sandboxApp.clientId,
    client_secret: sandboxApp.clientSecret,
  },
  open: ({ clock, random }) =>
    createSalesforceSandbox({
      clock,
      random,
      options: { prepared: true, emailUnique: false, sessionMs: 900_000, lockMs: 500 },
    }),
  tooMany: {
    kind: "status",
    status: 403,
    body: [{ message: "ConcurrentRequests Limit exceeded.", errorCode: "REQUEST_LIMIT_EXCEEDED" }],
  },
  activities(sandbox) {
    const { EmailMessage, EmailMessageRelation } = stateOf(sandbox).records;
    return EmailMessage.filter(({ deleted }) => !deleted).map(({ id, values }) => ({
      text: String(values.TextBody ?? ""),
      people: EmailMessageRelation.filter((one) => !one.deleted && one.values.EmailMessageId === id).length,
    }));
  },
  people(sandbox) {
    const { Contact, Lead } = stateOf(sandbox).records;
    return [...Contact, ...Lead].filter(({ deleted }) => !deleted).map(({ values }) => String(values.Email ?? ""));
  },
};
