import { expect, test } from "vitest";
import { local } from "../../src/destinations/local.ts";
import { parse } from "../../src/mail/parse.ts";
import { destinationContract, failureIn, type Rig } from "./contract.ts";
import { manualClock, memoryRecords, noWire, portsFor, recordingLog } from "./fixtures.ts";

const kinds = { person: "contact", company: "company", deal: "deal", activity: "activity" } as const;

async function rig(): Promise<Rig> {
  const records = memoryRecords();
  const { log, lines } = recordingLog();
  const session = local.open({}, portsFor(manualClock(), noWire, records, log));
  const field = (id: string, name: string): unknown => records.get(id)?.fields[name];
  return {
    facts: local.facts,
    session,
    lines,
    count: async (kind) => {
      const table = kinds[kind as keyof typeof kinds];
      return records.list(table, { limit: 1_000 }).filter(({ archived }) => !archived).length;
    },
    async someoneAddsContact(email, name) {
      const natural = email.toLowerCase();
      const made = {
        kind: "contact",
        tenant: "acme",
        key: "f".repeat(64),
        natural,
        createdAt: 0,
        fields: { email: natural, name },
        links: [],
      } as const;
      return records.create(made).record.id;
    },
    async someoneMovesDeal(id, stage) {
      records.amend(id, { stage });
    },
    stageOf: async (id) => field(id, "stage") as string,
    contactName: async (id) => field(id, "name") as string,
    textOf: async (id) => field(id, "text") as string,
    filesOf: async (id) => JSON.stringify(field(id, "attachments")),
    linksOf: async (id) => records.get(id)?.links ?? [],
    close: async () => undefined,
  };
}

destinationContract("the local CRM", rig);

test("tenants do not see each other's records", async () => {
  const records = memoryRecords();
  const clock = manualClock();
  const acme = local.open({}, portsFor(clock, noWire, records));
  const other = local.open({}, { ...portsFor(clock, noWire, records), tenant: "other" });
  const { person } = await import("./fixtures.ts");
  const made = await acme.put(person(), new Map());
  expect(await other.find(person(), new Map())).toBeUndefined();
  expect(await other.read("person", made.id)).toBeUndefined();
});

test("another file is another account, and a record that this one does not hold is refused for good", async () => {
  const clock = manualClock();
  const open = () => local.open({}, portsFor(clock, noWire, memoryRecords()));
  const [one, other] = [open(), open()];
  expect(await one.account()).not.toBe(await other.account());
  const { activity, person, refsOf } = await import("./fixtures.ts");
  const who = person();
  const refs = refsOf([who, await one.put(who, new Map())]);
  expect(await failureIn(() => other.put(activity([who.key]), refs))).toMatchObject({
    kind: "permanent",
    reason: expect.stringContaining("has no record"),
  });
});

test("text that was made of html is kept as text, and never in the field for html", async () => {
  const written = "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>";
  const { message } = await parse(Buffer.from(`From: a@b.example\nContent-Type: text/html\n\n${written}`));
  const { activity, person, refsOf } = await import("./fixtures.ts");
  const records = memoryRecords();
  const session = local.open({}, portsFor(manualClock(), noWire, records));
  const who = person();
  const refs = refsOf([who, await session.put(who, new Map())]);
  for (const html of [message.html, null]) {
    const step = activity([who.key], {
      key: String(html).length.toString(16).repeat(32),
      text: message.text ?? "",
      html,
    });
    const { id } = await session.put(step, refs);
    expect(records.get(id)?.fields).toMatchObject({
      text: "<script>alert(1)</script>",
      html: html === null ? null : written,
    });
  }
});

test("an outbound mail and one that a colleague handed on say so", async () => {
  const { activity } = await import("./fixtures.ts");
  const records = memoryRecords();
  const session = local.open({}, portsFor(manualClock(), noWire, records));
  const kim = { email: "kim@acme.test", name: "Kim" };
  const sent = await session.put(activity([], { direction: "outbound", from: kim }), new Map());
  const handed = await session.put(activity([], { message_id: "<2@example.test>", forwarded_by: kim }), new Map());
  expect(records.get(sent.id)?.fields).toMatchObject({ direction: "outbound", from: kim });
  expect(records.get(sent.id)?.fields).not.toHaveProperty("forwarded_by");
  expect(records.get(handed.id)?.fields).toMatchObject({ direction: "inbound", forwarded_by: kim });
});
