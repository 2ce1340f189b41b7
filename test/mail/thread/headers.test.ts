import { expect, test } from "vitest";
import { fieldOf } from "../../../src/mail/thread/field.ts";
import { headerTies } from "../../../src/mail/thread/headers.ts";
import { defaultMarks } from "../../../src/model/threads.ts";
import { mail } from "./mails.ts";

const missing = Array.from({ length: 40 }, (_, at) => `never-came-${at}`);
const pairsOf = (count: number): number => (count * (count - 1)) / 2;

test("two messages are tied once, however many missing ids they share", () => {
  const all = Array.from({ length: 30 }, (_, at) =>
    mail({ id: `m${at}`, from: "ana@client.example", names: missing, subject: `Cooling unit 4711, part ${at}` }),
  );
  const { ties } = headerTies(fieldOf(all, [], defaultMarks.window));
  expect(ties).toHaveLength(pairsOf(all.length));
  expect(new Set(ties.map(({ from, to }) => `${from.eventId} ${to.eventId}`)).size).toBe(ties.length);
});

test("and so are those that share their own id as well", () => {
  const all = Array.from({ length: 30 }, (_, at) =>
    mail({
      id: `m${at}`,
      from: "ana@client.example",
      names: missing,
      subject: `Cooling unit 4711, part ${at}`,
      changes: { messageId: "taken" },
    }),
  );
  expect(headerTies(fieldOf(all, [], defaultMarks.window)).ties).toHaveLength(pairsOf(all.length));
});
