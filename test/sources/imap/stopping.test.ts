/** The end of a reader: what is on its way into the ledger is waited for, and only then is the account given up. */
import { expect, it } from "vitest";
import type { Intake } from "../../../src/model/source.ts";
import { startImap } from "../../../src/sources/imap.ts";
import { memoryTokens } from "../../support/tokens.ts";
import { settle } from "../fakes.ts";
import { mail, rig } from "./rig.ts";

it("waits for messages on their way also where it stops between two batches", async () => {
  const r = await rig();
  const gate = Promise.withResolvers<void>();
  let held = 0;
  const intake: Intake = {
    ...r.intake,
    async accept(...args) {
      held += 1;
      await gate.promise;
      return await r.intake.accept(...args);
    },
  };
  const { clock, log, metrics, ledger } = r;
  const random = { unit: () => 0.5, uuid: () => "event" };
  const ports = { clock, random, log, metrics, ledger, tokens: memoryTokens() };
  const imap = startImap([{ tenant: "acme", settings: r.settings() }], intake, ports);
  await r.until("it waits", () => r.server.commands.includes("IDLE"));
  r.server.tell = () => undefined;
  // More than one answer may hold.
  const body = "x".repeat(200_000);
  for (let n = 0; n < 30; n++) r.server.put("INBOX", mail(`m${n}`, body));
  const fetches = () => r.server.commands.filter((line) => line.includes("BODY")).length;
  r.server.hook = ({ name, rest, connection, tag }) => {
    if (name !== "UID FETCH" || !rest.includes("BODY")) return undefined;
    const messages = connection.in(rest);
    for (const message of messages.slice(0, -1)) connection.fetch(message, rest);
    const [last] = messages.slice(-1);
    // The stop comes while the first answer does.
    setImmediate(() => {
      stopped = imap.stop(60_000).then(() => {
        isStopped = true;
      });
      if (last !== undefined) connection.fetch(last, rest);
      connection.say(`${tag} OK done`);
    });
    return true;
  };
  let stopped: Promise<void> | undefined;
  let isStopped = false;
  await r.until("the first batch came", () => held >= 20 && stopped !== undefined);
  await settle(50);
  expect([fetches(), isStopped]).toEqual([1, false]);
  gate.resolve();
  await r.until("it is over", () => isStopped);
  await stopped;
  expect(r.bytes.size).toBe(held);
});
