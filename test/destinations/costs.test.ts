/** What a mail costs at each vendor, counted at its stand-in and held against the table in the vendor's page. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { KnownRef, Refs, Session } from "../../src/model/destination.ts";
import type { Step } from "../../src/model/step.ts";
import { closeRig } from "./close-rig.ts";
import { bring } from "./contract.ts";
import { activity, company, deal, keyOf, type ManualClock, person } from "./fixtures.ts";
import { hubspotRig } from "./hubspot-rig.ts";
import { pipedriveRig } from "./pipedrive-rig.ts";
import { salesforceRig } from "./salesforce-rig.ts";
import { zohoRig } from "./zoho-rig.ts";

interface Counted {
  readonly session: Session;
  readonly clock: ManualClock;
  /** Calls, and where the vendor has a unit of its own, units; without those for tokens. */
  count(): readonly number[];
}

const callsIn = (log: readonly { readonly route: string }[]): number =>
  log.filter(({ route }) => !route.startsWith("token") && !route.startsWith("oauth")).length;

const vendors: Readonly<Record<string, () => Counted>> = {
  hubspot() {
    const rig = hubspotRig();
    return { ...rig, count: () => [callsIn(rig.sandbox.log)] };
  },
  salesforce() {
    const rig = salesforceRig();
    return { ...rig, count: () => [callsIn(rig.sandbox.log)] };
  },
  pipedrive() {
    const rig = pipedriveRig();
    return { ...rig, count: () => [callsIn(rig.sandbox.log), rig.sandbox.state().tokens] };
  },
  close() {
    const rig = closeRig();
    return { ...rig, count: () => [callsIn(rig.sandbox.log)] };
  },
  zoho() {
    const rig = zohoRig();
    return { ...rig, count: () => [callsIn(rig.sandbox.log), rig.sandbox.state().credits] };
  },
};

/** The pipeline's part: what the ledger remembers is not asked for, and what came before is handed on. */
async function brought(session: Session, steps: readonly Step[], known: Refs): Promise<Refs> {
  const refs = new Map<string, KnownRef>(known);
  for (const step of steps) {
    if (refs.has(step.key)) continue;
    refs.set(step.key, { ...(await bring(session, step, refs)), kind: step.kind });
  }
  return refs;
}

function stepsOf(name: string, at: number, sales: boolean, message: string): readonly Step[] {
  const who = person(
    `${name}@${name}.test`,
    sales ? { company: { key: company(`${name}.test`).key, domain: `${name}.test` } } : {},
  );
  const mail = { at, message_id: message, from: { email: who.email, name: "Ada" } };
  if (!sales) return [who, activity([who.key], mail)];
  const firm = company(`${name}.test`);
  const link: Step = { kind: "link", key: keyOf(`link ${name}`), why: "test", from: who.key, to: firm.key };
  const chance = deal([who.key, firm.key], name);
  return [who, firm, link, chance, activity([who.key, firm.key, chance.key], mail)];
}

describe.each(Object.keys(vendors))("a mail at %s", (vendor) => {
  const page = readFileSync(new URL(`../../docs/crm/${vendor}.md`, import.meta.url), "utf8");
  const said = (row: string): number[] => {
    const line = page.split("\n").find((one) => one.startsWith(`| ${row} |`)) ?? "";
    return line.split("|").slice(2, -1).map(Number);
  };

  test("costs what the table of its page says: first, reply, and from a known person", async () => {
    const counted = vendors[vendor]?.();
    if (counted === undefined) throw new TypeError(vendor);
    const { session, clock } = counted;
    await brought(session, stepsOf("warm", clock.now(), true, "<warm@x>"), new Map());
    // A session that is no longer new (Pipedrive's looks more closely for two days), whose answers about fields and the like are at hand.
    await clock.advance(100 * 3_600_000);
    await brought(session, stepsOf("again", clock.now(), true, "<again@x>"), new Map());
    const rows: Record<string, number[]> = {};
    const measured = async (row: string, steps: readonly Step[], known: Refs): Promise<Refs> => {
      const before = counted.count();
      const refs = await brought(session, steps, known);
      rows[row] = counted.count().map((now, at) => now - (before[at] ?? 0));
      return refs;
    };
    const at = clock.now();
    await measured("first mail of an unknown sender: contact", stepsOf("ada", at, false, "<1@x>"), new Map());
    const all = await measured("the same with company and deal, all new", stepsOf("bo", at, true, "<2@x>"), new Map());
    const remembered = new Map([...all].filter(([, { kind }]) => kind !== "activity"));
    await measured("a reply: contact, company and deal remembered", stepsOf("bo", at, true, "<3@x>"), remembered);
    // By then every search shows it.
    await clock.advance(5 * 60_000);
    const ada = stepsOf("ada", clock.now(), false, "<4@x>");
    await measured("a mail of a known contact that the ledger does not remember", ada, new Map());
    rows["a duplicate"] = rows["a duplicate"] ?? counted.count().map(() => 0);
    // A backlog of forty new senders, ten in hand at once: those who are looked for at the same time are looked for together.
    const backlog = Array.from({ length: 40 }, (_, n) => stepsOf(`new${n}`, clock.now(), false, `<b${n}@x>`));
    const before = counted.count();
    const hands = Array.from({ length: 10 }, async () => {
      for (let steps = backlog.shift(); steps !== undefined; steps = backlog.shift())
        await brought(session, steps, new Map());
    });
    await Promise.all(hands);
    rows["each of a backlog of 40 unknown senders"] = counted
      .count()
      .map((now, at) => Math.round(((now - (before[at] ?? 0)) / 40) * 10) / 10);
    for (const [row, figures] of Object.entries(rows)) expect.soft([row, ...said(row)]).toEqual([row, ...figures]);
  });
});
