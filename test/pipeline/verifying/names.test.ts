/** What a message may ask of DNS, and what is remembered of the answers. */
import { expect, test } from "vitest";
import type { Answer, Dns } from "../../../src/model/dns.ts";
import { isAskable, openNames } from "../../../src/pipeline/verifying/names.ts";
import { turn, VirtualTime } from "../../simulation/clock.ts";

const txt = (...texts: string[]): Answer => ({ kind: "records", records: texts.map((text) => [text]) });
const none: Answer = { kind: "none", code: "ENOTFOUND" };
const failed: Answer = { kind: "failed", code: "ESERVFAIL" };

function stage(answer: (name: string, type: string) => Answer | Promise<Answer>) {
  const time = new VirtualTime();
  const asked: string[] = [];
  const dns: Dns = {
    async ask(name, type) {
      asked.push(`${type} ${name}`);
      return await answer(name, type);
    },
  };
  const names = openNames(dns, time.clock());
  return { time, asked, ask: (name: string, type = "TXT") => names.forMessage().resolve(name, type), names };
}

const codeOf = async (answer: Promise<unknown>): Promise<unknown> =>
  answer.then(
    (records) => records,
    (error: { code?: unknown }) => error.code,
  );

async function pass(time: VirtualTime, ms: number): Promise<void> {
  const woken = time.clock().sleep(ms);
  await time.advance(ms);
  await woken;
}

test("an answer is remembered for five minutes, that there is none for one, a failure for five seconds", async () => {
  const { time, asked, ask } = stage((name) =>
    name.startsWith("a") ? txt("x") : name.startsWith("n") ? none : failed,
  );
  const round = async () => [await ask("a.example"), await codeOf(ask("n.example")), await codeOf(ask("f.example"))];
  expect(await round()).toEqual([[["x"]], "ENOTFOUND", "ESERVFAIL"]);
  await round();
  expect(asked).toHaveLength(3);
  await pass(time, 5_001);
  await round();
  expect(asked.slice(3)).toEqual(["TXT f.example"]);
  await pass(time, 55_001);
  await round();
  expect(asked.slice(4)).toEqual(["TXT n.example", "TXT f.example"]);
  await pass(time, 240_001);
  await round();
  expect(asked.slice(6)).toEqual(["TXT a.example", "TXT n.example", "TXT f.example"]);
});

test("that DNS as a whole is down is not remembered of a name", async () => {
  let down = true;
  const { ask } = stage(() => (down ? { kind: "failed", code: "ETIMEOUT", lasting: true } : txt("x")));
  expect(await codeOf(ask("a.example"))).toBe("ETIMEOUT");
  down = false;
  expect(await ask("a.example")).toEqual([["x"]]);
});

test("whoever asks the same at the same time waits for the same answer", async () => {
  let give: (answer: Answer) => void = () => undefined;
  const { asked, ask } = stage(
    () =>
      new Promise((resolve) => {
        give = resolve;
      }),
  );
  const all = ["a.example", "A.Example", "a.example."].map((name) => ask(name));
  await turn();
  give(txt("x"));
  expect(await Promise.all(all)).toEqual([[["x"]], [["x"]], [["x"]]]);
  expect(asked).toHaveLength(1);
});

test("an answer that somebody sorts or changes stays as it was for the next", async () => {
  const { ask } = stage(() => txt("x", "y"));
  const first = (await ask("a.example")) as string[][];
  first.reverse()[0]?.push("changed");
  expect(await ask("a.example")).toEqual([["x"], ["y"]]);
});

test("ten seconds after its last byte a message waits for nothing more", async () => {
  const { time, names } = stage(() => new Promise(() => undefined));
  const message = names.forMessage();
  await pass(time, 9_000);
  message.fed();
  const answers = [codeOf(message.resolve("a.example", "TXT"))];
  await pass(time, 6_000);
  answers.push(codeOf(message.resolve("b.example", "TXT")));
  let ended = 0;
  for (const answer of answers) void answer.then(() => ended++);
  await pass(time, 3_999);
  await turn();
  expect(ended).toBe(0);
  await pass(time, 2);
  expect(await Promise.all(answers)).toEqual(["ETIMEOUT", "ETIMEOUT"]);
  expect(await codeOf(message.resolve("c.example", "TXT"))).toBe("ETIMEOUT");
});

test("a message asks a hundred questions at most; the next has its own hundred", async () => {
  const { asked, names, ask } = stage(() => none);
  const { resolve } = names.forMessage();
  const codes = new Set<unknown>();
  for (let i = 0; i < 150; i++) codes.add(await codeOf(resolve(`n${i}.example`, "A")));
  expect([...codes]).toEqual(["ENOTFOUND", "ETOOMANY"]);
  expect(asked).toHaveLength(100);
  expect(await codeOf(ask("other.example"))).toBe("ENOTFOUND");
});

test("the memory has a bound, and forgets the oldest", async () => {
  const { asked, ask } = stage((name) => txt(name.repeat(1_000)));
  for (let i = 0; i < 1_000; i++) await ask(`${"x".repeat(10)}${i}.example`);
  expect(asked).toHaveLength(1_000);
  await ask(`${"x".repeat(10)}999.example`);
  expect(asked).toHaveLength(1_000);
  await ask(`${"x".repeat(10)}0.example`);
  expect(asked).toHaveLength(1_001);
});

test("a resolver that throws is a failure", async () => {
  const { ask } = stage(() => Promise.reject(new Error("no such call")));
  expect(await codeOf(ask("a.example"))).toBe("EUNKNOWN");
});

test.each([
  ["good.example", true],
  ["_dmarc.good.example", true],
  ["a-1.b_c.example", true],
  ["printer.local", false],
  ["a.localhost", false],
  ["a.onion", false],
  ["localhost", false],
  ["example", false],
  ["", false],
  ["[192.0.2.1]", false],
  ["192.0.2.1", false],
  ["2001:db8::1", false],
  ["a b.example", false],
  ["größe.example", false],
  ["a..example", false],
  ["-", false],
  [`${"x".repeat(63)}.example`, true],
  [`${"x".repeat(64)}.example`, false],
  [`${"x.".repeat(130)}example`, false],
])("%j is asked for: %s", async (name, askable) => {
  expect(isAskable(name)).toBe(askable);
  const { asked, ask } = stage(() => txt("x"));
  expect(await codeOf(ask(name))).toEqual(askable ? [["x"]] : "ENOTFOUND");
  expect(asked).toHaveLength(askable ? 1 : 0);
});

test("a type that nobody needs is not asked for", async () => {
  const { asked, ask } = stage(() => txt("x"));
  expect(await codeOf(ask("a.example", "ANY"))).toBe("ENOTFOUND");
  expect(asked).toEqual([]);
});
