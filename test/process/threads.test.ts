/** `mailwright threads` and the reviews of threads, run as commands without a daemon: the command does the work itself. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type { z } from "zod";
import type { ShapeName, shapes } from "../../src/cli/shapes.ts";
import { command, type Ended, shapedBy } from "../cli/stage.ts";

let dir: string;
let config: string;
let sent = 0;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "mailwright-threads-"));
  config = join(dir, "mailwright.yaml");
  const limits = { disk_reserve_bytes: 0, disk_reserve_percent: 0 };
  const tenant = { id: "acme", recipients: ["deals@in.test"], destinations: [{ id: "crm", type: "local" }] };
  const other = { id: "umbrella", recipients: ["deals@other.test"], destinations: [{ id: "crm", type: "local" }] };
  writeFileSync(config, stringify({ data_dir: "./data", limits, dns: { verify: false }, tenants: [tenant, other] }));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const run = (...args: string[]): Promise<Ended> => command([...args, "--config", config], { cwd: dir });
const shaped = <N extends ShapeName>(name: N, ...args: string[]) => shapedBy(run, name, args);

interface Mail {
  readonly id: string;
  readonly from?: string;
  readonly to?: string;
  readonly subject?: string;
  readonly answers?: string;
  readonly tenant?: string;
}

/** Takes mails in, in one command. Answers their event ids, in their order. */
async function take(...mails: readonly Mail[]): Promise<string[]> {
  const files = mails.map(({ id, from = "ada@customer.test", to = "deals@in.test", subject = id, answers }) => {
    const file = join(dir, `${++sent}.eml`);
    const date = new Date(Date.UTC(2026, 2, 1, 0, sent)).toUTCString().replace("GMT", "+0000");
    const head = [`From: ${from}`, `To: ${to}`, `Date: ${date}`, `Message-ID: <${id}@x.test>`, `Subject: ${subject}`];
    const reply = answers === undefined ? [] : [`In-Reply-To: <${answers}@x.test>`, `References: <${answers}@x.test>`];
    writeFileSync(file, `${[...head, ...reply, "", `The text of ${id}.`].join("\r\n")}\r\n`);
    return file;
  });
  const { tenant = "acme", to = "deals@in.test" } = mails[0] ?? { id: "" };
  const rows = await shaped("reprocess", ...files, "--tenant", tenant, "--to", to);
  return rows.map(({ event_id }) => event_id);
}
const thread = async (name: string) => await shaped("threads show", name);
const events = ({ messages }: z.infer<(typeof shapes)["threads show"]>) => messages.map(({ event_id }) => event_id);

describe("threads", () => {
  test("are listed and shown by their id, by an event and by a Message-ID, with what joined each message", async () => {
    const [one, two, three] = await take(
      { id: "offer", subject: "Offer 4711" },
      { id: "answer", subject: "Re: Offer 4711", answers: "offer" },
      { id: "invoice", subject: "Invoice 9", from: "bob@elsewhere.test" },
    );
    const shown = await thread(two ?? "");
    expect(events(shown)).toEqual([one, two]);
    expect(shown.messages.map(({ method, parent_event_id }) => [method, parent_event_id])).toEqual([
      ["new", null],
      ["header", one],
    ]);
    expect(await thread(shown.thread_id)).toEqual(shown);
    expect(await thread("<offer@x.test>")).toEqual(shown);
    const listed = await shaped("threads list");
    expect(listed.map(({ thread_id, messages }) => [thread_id, messages])).toEqual([
      [(await thread(three ?? "")).thread_id, 1],
      [shown.thread_id, 2],
    ]);
    const [last] = await shaped("threads list", "--limit", "1");
    expect(await shaped("threads list", "--before", String(last?.place))).toEqual(listed.slice(1));
    expect(await shaped("threads list", "--tenant", "umbrella")).toEqual([]);
    expect((await run("threads", "show", two ?? "")).out).toContain(`answers ${one}`);
    expect((await run("threads", "list")).out).toContain(shown.thread_id);
  });

  test("are merged and split again by a person, who is told of with when and why, and every mail stays one activity", async () => {
    const [one, answer, two] = await take(
      { id: "offer", subject: "Offer 4711" },
      { id: "answer", subject: "Re: Offer 4711", answers: "offer" },
      { id: "call", subject: "Yesterday on the phone", from: "bob@elsewhere.test" },
    );
    const merged = await shaped("threads merge", one ?? "", two ?? "", "--by", "eve", "--note", "the same deal");
    expect(merged).toMatchObject({ by: "eve", note: "the same deal", worked_by: "command" });
    expect(merged.threads).toHaveLength(1);
    expect(merged.threads.flatMap(events)).toEqual([one, answer, two]);
    expect(merged.threads[0]?.messages[2]).toMatchObject({
      method: "decision",
      decisions: [{ kind: "join", by: "eve" }],
    });
    expect((await shaped("explain", two ?? "")).decisions).toMatchObject([
      { kind: "join", with_event_id: one, stands: true },
    ]);
    const again = await run("threads", "merge", one ?? "", two ?? "");
    expect([again.code, again.err]).toEqual([1, expect.stringContaining("already")]);

    const split = await shaped("threads split", one ?? "", two ?? "");
    expect(split.threads.map(events)).toEqual([[one, answer], [two]]);
    const apart = await shaped("threads split", one ?? "", answer ?? "");
    expect(apart.threads.map(events)).toEqual([[one], [answer]]);
    const back = await shaped("threads merge", one ?? "", answer ?? "");
    expect(back.threads.map(events)).toEqual([[one, answer]]);
    // What answers a message that was moved goes where it is.
    const [late] = await take({ id: "late", subject: "Re: Offer 4711", answers: "answer" });
    expect(events(await thread(one ?? ""))).toEqual([one, answer, late]);
    expect(await shaped("crm activities")).toHaveLength(4);
  });

  test("of two tenants, of one message, or of messages that are elsewhere are refused, and nothing changes", async () => {
    const [one] = await take({ id: "offer" });
    const [two] = await take({ id: "call", from: "bob@elsewhere.test" });
    const [theirs] = await take({ id: "theirs", tenant: "umbrella", to: "deals@other.test" });
    for (const [args, code, words] of [
      [["merge", one, theirs], 1, /two tenants/],
      [["merge", one, one], 1, /already/],
      [["merge", one, "<nobody@x.test>"], 1, /nothing is stored under/],
      [["split", one, two], 1, /not in thread/],
      [["split", one, one], 2, /the first message of a thread stays/],
      [["split", one, "<nobody@x.test>"], 1, /nothing is stored under/],
      [["show", "nothing-like-it"], 1, /nothing is stored under/],
      [["merge", one, two, "--by", ""], 2, /say who decides/],
    ] as const) {
      const ended = await run("threads", ...args.map((each) => each ?? ""));
      expect([ended.code, ended.err], args.join(" ")).toEqual([code, expect.stringMatching(words)]);
    }
    expect((await shaped("explain", one ?? "")).decisions).toEqual([]);
  });
});

describe("the address of a thread", () => {
  test("lets its people join it from a mail that answers nothing, and keeps a stranger and a forger out", async () => {
    const [one] = await take({ id: "offer", subject: "Offer 4711" });
    const { reply_to, thread_id } = await thread(one ?? "");
    expect(reply_to).toMatch(/^deals\+t\.[a-z2-7]{42}@in\.test$/);
    const to = reply_to ?? "";
    const [hers, upper] = await take(
      { id: "new", subject: "Something else", to },
      { id: "upper", subject: "And another", to: to.toUpperCase() },
    );
    const [stranger] = await take({ id: "spam", subject: "Cheap", from: "mallory@evil.test", to });
    const [forged] = await take({
      id: "forged",
      subject: "Odd",
      to: to.replace(/t\.[a-z]/, "t.2").replace("t.22", "t.32"),
    });
    const shown = await thread(one ?? "");
    expect(events(shown)).toEqual([one, hers, upper]);
    expect(shown.messages.slice(1).map(({ method }) => method)).toEqual(["token", "token"]);
    expect(shown.reply_to).toBe(reply_to);
    const outside = await shaped("events show", stranger ?? "");
    expect(outside.event?.thread).toMatchObject({ method: "new", candidates: [{ thread_id }] });
    expect((await shaped("events show", forged ?? "")).event?.anomalies.map(({ code }) => code)).toContain(
      "thread_token_invalid",
    );

    const [review] = await shaped("review list", "--kind", "thread");
    expect(review).toMatchObject({ event_id: stranger });
    expect(review?.detail).toContain("sender takes no part");
    const joined = await shaped("review resolve", String(review?.id), "--join", thread_id, "--by", "eve");
    expect(joined.answer).toBe("join");
    expect(events(await thread(one ?? ""))).toContain(stranger);
    // Now he is one of those who take part.
    const [next] = await take({ id: "next", subject: "Cheaper", from: "mallory@evil.test", to });
    expect(events(await thread(one ?? ""))).toContain(next);
    const undone = await shaped("review resolve", String(review?.id), "--new");
    expect(undone.answer).toBe("new");
    expect(events(await thread(one ?? ""))).not.toContain(stranger);
    expect(await shaped("review list", "--kind", "thread", "--resolved")).toMatchObject([{ resolved: { as: "new" } }]);
    expect((await run("explain", stranger ?? "")).out).toContain("replaced since");
  });
});
