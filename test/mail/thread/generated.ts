/** Made-up mail of a few days among colleagues, customers and strangers: answers, lost mails, forged ids, mass mail, all at once. */
import fc from "fast-check";
import type { ThreadDecision, ThreadFacts } from "../../../src/model/threads.ts";
import { mail } from "./mails.ts";

const outside = [
  "ana@client.example",
  "bob@client.example",
  "zoe@gmail.example",
  "yan@gmail.example",
  "ida@other.example",
  "mallory@evil.example",
];
const everybody = [...outside, "kim@acme.example", "lee@acme.example"];
const subjects = [
  "Cooling unit 4711",
  "Re: Cooling unit 4711",
  "Invoice",
  "Re: Invoice",
  "AW: Heating in hall 3",
  "Heating in hall 3",
];

const ids = 24;

const one = fc.record({
  from: fc.constantFrom(...everybody),
  to: fc.subarray(everybody, { maxLength: 3 }),
  // Some of what is named is never written, or later: forged, crossing, or a clock that is wrong.
  names: fc.uniqueArray(fc.nat(ids), { maxLength: 4 }),
  subject: fc.constantFrom(...subjects),
  at: fc.nat(60 * 24 * 50),
  unproven: fc.boolean(),
  suspicious: fc.boolean(),
  broadcast: fc.nat(19),
  automated: fc.nat(19),
  sameId: fc.nat(30),
  hint: fc.nat(40),
});

export interface Generated {
  readonly messages: readonly ThreadFacts[];
  readonly decisions: readonly ThreadDecision[];
}

export const generated: fc.Arbitrary<Generated> = fc
  .record({
    specs: fc.array(one, { minLength: 2, maxLength: 18 }),
    decisions: fc.array(fc.record({ event: fc.nat(17), kind: fc.constantFrom("join", "new"), other: fc.nat(17) }), {
      maxLength: 2,
    }),
  })
  .map(({ specs, decisions }) => {
    const messages = specs.map((spec, index) => {
      const id = `m${index}`;
      const messageId = spec.sameId < index ? `m${spec.sameId}` : id;
      return mail({
        id,
        from: spec.from,
        to: spec.to,
        names: spec.names.map((n) => `m${n}`).filter((name) => name !== messageId),
        subject: spec.subject,
        at: spec.at,
        unproven: spec.unproven && index % 3 === 0,
        changes: {
          messageId,
          suspicious: spec.suspicious && spec.from.startsWith("mallory"),
          broadcast: spec.broadcast === 0,
          automated: spec.automated === 0,
          ...(spec.broadcast === 0 || spec.automated === 0 ? { subject: null } : {}),
          threadIndex: spec.hint < 2 ? `t${spec.hint}` : null,
          gmailThread: spec.hint === 3 ? "g" : null,
          token: spec.hint === 4 ? "thread-m1" : null,
        },
      });
    });
    const known = new Map<string, ThreadDecision>();
    for (const { event, kind, other } of decisions) {
      if (event >= messages.length || other >= messages.length || event === other) continue;
      const eventId = `m${event}`;
      known.set(
        eventId,
        kind === "join" ? { eventId, kind, withEventId: `m${other}` } : { eventId, kind: "new", withEventId: null },
      );
    }
    return { messages, decisions: [...known.values()] };
  });

/** A way in which the same mail can come: in any order, in batches of any size. */
export const arrival = fc.record({
  keys: fc.array(fc.nat(), { minLength: 64, maxLength: 64 }),
  batch: fc.integer({ min: 1, max: 5 }),
});

export function inBatches<T>(items: readonly T[], { keys, batch }: { keys: readonly number[]; batch: number }): T[][] {
  const shuffled = items
    .map((item, index) => ({ item, key: keys[index % keys.length] ?? 0 }))
    .sort((one, other) => one.key - other.key)
    .map(({ item }) => item);
  const batches: T[][] = [];
  for (let at = 0; at < shuffled.length; at += batch) batches.push(shuffled.slice(at, at + batch));
  return batches;
}
