/** Salesforce in a world: people are single by our key, mails in some orgs; nothing lags, sessions end, and a rule refuses one sender. */
import { createSalesforceSandbox, sandboxApp } from "../../../src/sandbox/salesforce.ts";
import { blockedSender } from "../mails.ts";
import type { Account, AccountPorts } from "./account.ts";

export function openSalesforce({ time, chance }: AccountPorts): Account {
  const draw = chance.split("account");
  const emailUnique = draw.flip(0.5);
  const sandbox = createSalesforceSandbox({
    clock: time.trueClock("vendor"),
    random: chance.split("sandbox"),
    options: {
      prepared: true,
      emailUnique,
      takenBy: draw.pick(["id18", "id15", "unknown"]),
      deletedKeepKeys: draw.flip(0.5),
      sessionMs: draw.pick([900_000, 7_200_000]),
      lockMs: draw.pick([0, 500]),
      queryBatch: draw.pick([2, 2_000]),
      validationRules: [
        { object: "Contact", field: "Email", refuse: `^${blockedSender}$`, message: "Nobody knows this person." },
      ],
    },
  });
  const { actors } = sandbox;
  return {
    type: "salesforce",
    settings: {
      base_url: "http://salesforce.invalid",
      client_id: sandboxApp.clientId,
      client_secret: sandboxApp.clientSecret,
    },
    sandbox,
    tooMany: {
      kind: "status",
      status: 403,
      body: [{ message: "ConcurrentRequests Limit exceeded.", errorCode: "REQUEST_LIMIT_EXCEEDED" }],
    },
    locked: {
      kind: "status",
      status: 400,
      body: [{ message: "unable to obtain exclusive access to this record", errorCode: "UNABLE_TO_LOCK_ROW" }],
    },
    mayStayUnknown: !emailUnique,
    keepsPeopleSingle: true,
    refusesSender: true,
    activities() {
      const { EmailMessage, EmailMessageRelation } = sandbox.state().records;
      return EmailMessage.filter(({ deleted }) => !deleted).map(({ id, values }) => {
        // Salesforce takes the relation away with the person whom somebody deleted.
        const on = EmailMessageRelation.filter((one) => one.values.EmailMessageId === id);
        return {
          id,
          subject: String(values.Subject),
          text: String(values.TextBody ?? ""),
          from: values.FromAddress == null ? null : String(values.FromAddress),
          people: [...new Set(on.map(({ values: relation }) => String(relation.RelationId)))],
        };
      });
    },
    people() {
      const { Contact, Lead } = sandbox.state().records;
      return [...Contact, ...Lead].map(({ id, values, deleted }) => ({
        id,
        email: String(values.Email ?? ""),
        name: values.FirstName == null ? null : String(values.FirstName),
        gone: deleted,
        all: JSON.stringify(values),
      }));
    },
    hands: {
      add: (Email, FirstName) => actors.personAddsContact({ Email, FirstName, LastName: "Person" }),
      rename: (id, FirstName) => actors.personEdits("Contact", id, { FirstName }),
      remove: (id) => actors.personDeletes("Contact", id),
      merge: (survivor, loser) => actors.personMergesContacts(survivor, loser),
    },
  };
}
