/** `mailwright review`, run as a command without a daemon: the command does the work itself. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type { ShapeName } from "../../src/cli/shapes.ts";
import { command, type Ended, shapedBy } from "../cli/stage.ts";
import { makeHome, startDaemon } from "./daemon.ts";

let dir: string;
let config: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "mailwright-review-"));
  config = join(dir, "mailwright.yaml");
  configure("verified");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** An unknown sender is held while contacts are made for verified ones only. */
function configure(createContact: string): void {
  const tenant = { id: "acme", recipients: ["*@in.test"], trust: { create_contact: createContact } };
  const limits = { disk_reserve_bytes: 0, disk_reserve_percent: 0 };
  const crm = { id: "crm", type: "local" };
  const settings = {
    data_dir: "./data",
    limits,
    dns: { verify: false },
    tenants: [{ ...tenant, destinations: [crm] }],
  };
  writeFileSync(config, stringify(settings));
}

const run = (...args: string[]): Promise<Ended> => command([...args, "--config", config], { cwd: dir });
const shaped = <N extends ShapeName>(name: N, ...args: string[]) => shapedBy(run, name, args);

let sent = 0;
/** Takes a mail in that the rules hold. Answers its event id. */
async function held(from = "ada@customer.test"): Promise<string> {
  const file = join(dir, `${++sent}.eml`);
  const head = [
    `From: Ada <${from}>`,
    "To: deals@in.test",
    `Message-ID: <m${sent}@customer.test>`,
    "Subject: An order",
  ];
  writeFileSync(file, `${[...head, "", "Ten, please."].join("\r\n")}\r\n`);
  const [row] = await shaped("reprocess", file);
  expect(row?.deliveries[0]?.state).toBe("held");
  return row?.event_id ?? "";
}
const openReviews = async () => await shaped("review list");
const activities = async () => await shaped("crm activities");

describe("a message that is held", () => {
  test("is listed with its reason, shown with its story, and told of by explain", async () => {
    expect((await run("review", "list")).code).toBe(1);
    const event = await held();
    const [row] = await openReviews();
    expect(row).toMatchObject({ event_id: event, tenant: "acme", kind: "held", resolved: null });
    expect(row?.detail).toContain("no such person at the CRM");
    const shown = await shaped("review show", String(row?.id));
    expect(shown.review).toEqual(row);
    expect(shown.event?.message.subject).toBe("An order");
    expect((await shaped("review show", event)).review.id).toBe(row?.id);
    expect((await shaped("explain", event)).reviews).toEqual([row]);
    const told = await run("review", "show", event);
    expect(told.out).toContain("What to do next");
    expect(told.out).toContain(`mailwright review resolve ${event} --trust`);
    expect((await run("review", "list")).out).toContain(event);
  });

  test("is delivered once when it is let through, and later mail is held as before", async () => {
    const event = await held();
    const resolved = await shaped("review resolve", event, "--trust", "--by", "eve", "--note", "a customer");
    expect(resolved).toMatchObject({ answer: "trust", by: "eve", note: "a customer", worked_by: "command" });
    expect(resolved.deliveries[0]?.state).toBe("processed");
    expect(await openReviews()).toEqual([]);
    expect((await activities()).map(({ fields }) => fields.flags)).toEqual([["unverified", "released_by_person"]]);
    await shaped("reprocess", event);
    expect(await activities()).toHaveLength(1);
    const explained = await shaped("explain", event);
    expect(explained.decisions).toMatchObject([{ kind: "trust", by: "eve", note: "a customer", stands: true }]);
    expect(explained.story.map(({ what }) => what)).toContain("let through by a person");
    expect((await run("explain", event)).out).toMatch(/Decisions\n.*trust by eve: a customer/);
    await held("bob@elsewhere.test");
    expect(await openReviews()).toHaveLength(1);
  });

  test("ends skipped under a rule of its own when it is rejected, also when it is planned again, and the user decides", async () => {
    const event = await held();
    const resolved = await shaped("review resolve", event, "--reject");
    expect(resolved).toMatchObject({
      by: "tester",
      note: null,
      deliveries: [{ state: "skipped", rule: "review.rejected" }],
    });
    configure("unverified");
    expect((await shaped("reprocess", event))[0]?.deliveries[0]?.rule).toBe("review.rejected");
    expect(await activities()).toEqual([]);
  });

  test("can be answered anew: rejected and then let through, it is delivered after all", async () => {
    const event = await held();
    const { review } = await shaped("review resolve", event, "--reject");
    expect(await shaped("review list", "--resolved")).toMatchObject([{ id: review, resolved: { as: "reject" } }]);
    const again = await shaped("review resolve", String(review), "--trust");
    expect(again.deliveries[0]?.state).toBe("processed");
    expect(await activities()).toHaveLength(1);
    expect((await shaped("explain", event)).decisions.map(({ kind, stands }) => [kind, stands])).toEqual([
      ["trust", true],
      ["reject", false],
    ]);
  });

  test("that was delivered stays at the CRM when it is rejected afterwards, and that is said", async () => {
    const event = await held();
    await shaped("review resolve", event, "--trust");
    const ended = await run("review", "resolve", event, "--reject");
    expect(ended.code).toBe(0);
    expect(ended.err).toContain("it is in crm already and stays there");
    expect(await activities()).toHaveLength(1);
  });

  test("is released by itself when the rules change, and that is no decision of anybody", async () => {
    const event = await held();
    configure("unverified");
    await shaped("reprocess", event);
    expect(await shaped("review list", "--resolved")).toMatchObject([
      { resolved: { by: "mailwright", as: "released" } },
    ]);
    expect((await shaped("explain", event)).decisions).toEqual([]);
  });
});

test("beside a running daemon the answer is the command's and the delivery the daemon's, and /metrics counts what waits", async () => {
  const crm = { id: "crm", type: "local" };
  const tenant = { id: "acme", recipients: ["*@in.test"], trust: { create_contact: "verified" }, destinations: [crm] };
  const home = await makeHome([], { tenants: [tenant] });
  const daemon = await startDaemon(home);
  try {
    config = home.config;
    const file = join(dir, "held.eml");
    writeFileSync(file, "From: ada@customer.test\r\nTo: deals@in.test\r\nMessage-ID: <held@x.test>\r\n\r\nTen.\r\n");
    const server = `127.0.0.1:${daemon.smtpPort}`;
    expect((await shaped("send", file, "--to", "deals@in.test", "--server", server))[0]?.ok).toBe(true);
    const until = async (done: () => Promise<boolean>) => {
      for (let looks = 0; !(await done()); looks++) if (looks > 200) throw new Error("it did not come to that");
    };
    await until(async () => (await openReviews()).length === 1);
    const gauge = async () => {
      const answer = await fetch(`http://127.0.0.1:${daemon.httpPort}/metrics`);
      return /^review_open\{tenant="acme",kind="held"\} (\d+)$/m.exec(await answer.text())?.[1];
    };
    expect(await gauge()).toBe("1");
    const resolved = await shaped("review resolve", "<held@x.test>", "--trust");
    expect(resolved).toMatchObject({ worked_by: "daemon", deliveries: [{ state: "processed" }] });
    expect(await gauge()).toBe("0");
  } finally {
    await daemon.kill("SIGKILL");
    await home.remove();
  }
});

describe("an answer that makes no sense", () => {
  test("ends with 2, says which answers there are, and changes nothing", async () => {
    const event = await held();
    for (const [args, words] of [
      [["--join", "x"], /kind held, which --join does not answer: --trust or --reject/],
      [["--new"], /kind held, which --new does not answer/],
      [["--done"], /kind held, which --done does not answer/],
      [[], /give one answer: --trust or --reject/],
      [["--trust", "--reject"], /give one answer: --trust or --reject/],
      [["--trust", "--by", " "], /say who decides/],
      [["--trust", "--by", "a\u001b[2Jb"], /one line/],
      [["--trust", "--note", "x".repeat(2_001)], /at most 2000/],
    ] as const) {
      const ended = await run("review", "resolve", event, ...args);
      expect([ended.code, ended.err], args.join(" ")).toEqual([2, expect.stringMatching(words)]);
    }
    expect((await shaped("explain", event)).decisions).toEqual([]);
    expect(await openReviews()).toHaveLength(1);
  });

  test("is refused where the same was answered before, with who and when", async () => {
    const event = await held();
    await shaped("review resolve", event, "--trust", "--by", "eve");
    const ended = await run("review", "resolve", event, "--trust");
    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(/resolved as trust by eve at 2\d\d\d-.* already/);
  });

  test("is refused where there is no such review, and names the list", async () => {
    const event = await held();
    for (const [id, words] of [
      ["4711", /there is no review 4711: `mailwright review list`/],
      ["<nobody@nowhere.test>", /nothing is stored under/],
      ["0198f2a4-7c11-7a40-9d7e-0c4b7e3a5d21", /nothing is stored under/],
    ] as const) {
      const ended = await run("review", "resolve", id, "--trust");
      expect([ended.code, ended.err]).toEqual([1, expect.stringMatching(words)]);
      expect((await run("review", "show", id)).code).toBe(1);
    }
    expect((await run("review", "list", "--kind", "odd")).code).toBe(2);
    expect((await run("review", "list", "--before", "x")).code).toBe(2);
    expect((await shaped("explain", event)).decisions).toEqual([]);
  });

  test("is refused where the message has no review at all", async () => {
    configure("unverified");
    const file = join(dir, "plain.eml");
    writeFileSync(file, "From: a@b.test\r\nTo: deals@in.test\r\nSubject: x\r\n\r\nx\r\n");
    const [row] = await shaped("reprocess", file);
    const ended = await run("review", "show", row?.event_id ?? "");
    expect([ended.code, ended.err]).toEqual([1, expect.stringContaining("has no review")]);
  });
});

test("a long list comes in pages, of one tenant and kind where that is asked for", async () => {
  const events = [await held("a@x.test"), await held("b@x.test"), await held("c@x.test")];
  const ended = await run("review", "list", "--limit", "2");
  expect(ended.err).toMatch(/--before \d+ shows the next/);
  const page = await shaped("review list", "--limit", "2");
  const rest = await shaped("review list", "--limit", "2", "--before", String(page[1]?.id));
  expect([...page, ...rest].map(({ event_id }) => event_id)).toEqual(events.toReversed());
  expect(await shaped("review list", "--tenant", "umbrella")).toEqual([]);
  expect(await shaped("review list", "--kind", "held", "--tenant", "acme")).toHaveLength(3);
  expect(await shaped("review list", "--kind", "thread")).toEqual([]);
});
