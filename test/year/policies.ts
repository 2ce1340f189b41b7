/** The mappings that are shipped, in the words of a story: what each asks for, read out of its comments by a person and not by the program. */
import type { Policy, Seen } from "./truth.ts";

const isPerson = ({ told }: Seen): boolean => told.direction !== "internal";

/** An answer is none, whether what it answers came to us or not; what a colleague hands on is one. */
const isNewRequest = ({ told, locals }: Seen): boolean =>
  told.begins &&
  told.what !== "intruder" &&
  told.direction === "inbound" &&
  locals.some((local) => local === "deals" || local === "sales") &&
  !/invoice|unsubscribe/i.test(told.subject);

const sales: Policy = {
  ends: (seen) =>
    isPerson(seen) && /application for|bewerbung|my cv/i.test(seen.told.subject)
      ? { kind: "hold", rule: "mapping.job-applications" }
      : undefined,
  files: (seen) => ({
    company: isNewRequest(seen),
    deal: isNewRequest(seen),
    noDeals: false,
    newContacts: true,
    gate: "",
    owner: seen.tags.some((tag) => tag.startsWith("us-"))
      ? "sam@acme.example"
      : seen.told.under.some(({ company }) => company === "big-client.example")
        ? "kim@acme.example"
        : null,
  }),
};

const support: Policy = {
  ends: () => undefined,
  files: ({ told, trust }) => ({
    company: false,
    deal: false,
    noDeals: true,
    newContacts: !(told.begins && trust !== "verified" && told.under.some(({ company }) => company === null)),
    gate: "mapping.strangers-by-freemail",
    owner: null,
  }),
};

/** Whom a colleague writes to is let in; whoever writes by himself is looked up. */
const team: Policy = {
  ends: (seen) =>
    isPerson(seen) && /\[private\]|privat/i.test(seen.told.subject)
      ? { kind: "skip", rule: "mapping.private" }
      : undefined,
  files: ({ told }) => ({
    company: told.direction === "outbound",
    deal: false,
    noDeals: false,
    newContacts: told.direction === "outbound",
    gate: "mapping.who-writes-to-us",
    owner: null,
  }),
};

/** By the name of the file. */
export const policies: ReadonlyMap<string, Policy> = new Map([
  ["sales-inbox.yaml", sales],
  ["support-inbox.yaml", support],
  ["team-mailboxes.yaml", team],
]);
