/** One Message-ID twice: a list's copy is the same mail, and a forged one never keeps the real one away, whichever came first. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  acme,
  evil,
  lists,
  mail,
  openSpoofWorld,
  type Parts,
  recordsIn,
  type SpoofWorld,
  signedBy,
} from "./spoof/world.ts";

let world: SpoofWorld;
beforeEach(async () => {
  world = await openSpoofWorld();
});
afterEach(() => world.close());

const id = "<one@acme.test>";
const ada = "Ada Lovelace <ada@acme.test>";
const written = (parts: Omit<Parts, "from" | "id"> = {}): Buffer =>
  signedBy("acme.test", mail({ from: ada, id, ...parts }));
/** What the lists of lists.test do: they put a header on top, which no signature covers, and may write below the text. */
const list = (raw: Buffer): Buffer => Buffer.concat([Buffer.from("List-Id: <users.lists.test>\r\n"), raw]);
const marked = (raw: Buffer): Buffer => Buffer.concat([Buffer.from("Auto-Submitted: no\r\n"), raw]);

const flagged = (event: { anomalies: readonly { code: string }[] }): boolean =>
  event.anomalies.some(({ code }) => code === "message_id_conflict");

describe("the same mail by two ways", () => {
  test("the second is skipped, and names the first", async () => {
    const first = await world.take(written(), { peer: acme });
    const second = await world.take(marked(written()), { peer: acme });
    expect(first.decision.kind).toBe("steps");
    expect(second.decision).toMatchObject({ kind: "skip", rule: "duplicate.variant" });
    expect(second.decision).toHaveProperty("reason", expect.stringContaining(first.event.event_id));
    expect(second.event.auth.trust).toBe("verified");
    expect(flagged(second.event)).toBe(false);
  });

  test("where the list's copy came first and was passed over, the sender's own is the mail", async () => {
    const copy = await world.take(list(written()), { peer: lists });
    const own = await world.take(written(), { peer: acme });
    expect(copy.decision).toMatchObject({ kind: "skip", rule: "automated.list" });
    expect(own.decision.kind).toBe("steps");
    expect(own.event.auth.trust).toBe("verified");
    expect(flagged(own.event)).toBe(false);
  });

  test("a third way is a copy as well", async () => {
    await world.take(list(written()), { peer: lists });
    await world.take(written(), { peer: acme });
    expect((await world.take(marked(written()), { peer: acme })).decision).toMatchObject({ rule: "duplicate.variant" });
  });

  test("a footer below and a list's tag in the subject make no other mail of it, where its host still vouches for it", async () => {
    await world.take(written({ subject: "An order" }), { peer: acme });
    const tagged = mail({
      from: ada,
      id,
      subject: "[users] An order",
      body: "Ten, please.\r\n-- \r\nusers mailing list",
    });
    expect((await world.take(tagged, { peer: acme })).decision).toMatchObject({ rule: "duplicate.variant" });
  });
});

describe("another mail under the same id", () => {
  test.each([
    ["other text", { body: "Twelve, please." }],
    ["text added at length", { body: `Ten, please.\r\n${"And more of it. ".repeat(200)}` }],
    ["another subject", { subject: "A complaint" }],
  ] as const)("of the same sender is kept: %s", async (_, parts) => {
    await world.take(written(), { peer: acme });
    const other = await world.take(written(parts), { peer: acme });
    expect(other.decision.kind).toBe("steps");
    expect(other.event.auth.trust).toBe("aligned-weak");
    expect(other.reason).toBe("message_id_conflict");
    expect(flagged(other.event)).toBe(true);
  });

  test("of a program that gives every mail the same id is kept", async () => {
    const dated = (day: number) =>
      signedBy(
        "acme.test",
        Buffer.from(
          written()
            .toString("latin1")
            .replace(/^[\s\S]*?(?=From:)/, "")
            .replace("14 Jul", `${day} Jul`),
          "latin1",
        ),
      );
    await world.take(dated(14), { peer: acme });
    expect((await world.take(dated(15), { peer: acme })).decision.kind).toBe("steps");
  });

  test("that is forged and comes first does not keep the real one away", async () => {
    const forged = await world.take(mail({ from: ada, id, body: "Forged." }), { peer: evil });
    const real = await world.take(written(), { peer: acme });
    expect(forged.decision.kind).toBe("hold");
    expect(recordsIn(real.decision)).toEqual(["person"]);
    expect(real.event.auth.trust).toBe("aligned-weak");
  });

  test("that is forged with the very text of the real one does not keep it away either", async () => {
    const forged = await world.take(mail({ from: ada, id, more: ["X-Mailer: evil"], body: "Ten, please. Pay here." }), {
      peer: evil,
    });
    const real = await world.take(written(), { peer: acme });
    expect(forged.decision.kind).toBe("hold");
    expect(real.decision.kind).toBe("steps");
  });

  test("that is forged and comes last is held, and takes nothing from the real one", async () => {
    const real = await world.take(written(), { peer: acme });
    const forged = await world.take(mail({ from: ada, id, body: "Forged." }), { peer: evil });
    expect(real.event.auth.trust).toBe("verified");
    expect(forged.decision.kind).toBe("hold");
    const stranger = await world.take(
      signedBy("evil.example", mail({ from: "x@evil.example", id, body: "Ten, please." })),
      { peer: evil },
    );
    expect(stranger.decision.kind).toBe("steps");
    expect(stranger.event.auth.trust).toBe("aligned-weak");
  });
});
