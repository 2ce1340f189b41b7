/** A real Postfix whose mail a real opendkim signs, a name server, and what the HubSpot sandbox and the built-in CRM hold of it in the end. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shapes } from "../../src/cli/shapes.ts";
import type { RecordKind } from "../../src/model/records.ts";
import { createHubspotSandbox, type HubspotSandbox, sandboxToken } from "../../src/sandbox/hubspot.ts";
import { type RunningSandbox, startSandbox } from "../../src/sandbox/server.ts";
import { openLocalRecords } from "../../src/store/index.ts";
import { mailwright, type Ran } from "../process/command.ts";
import { type Home, makeHome, type RunningDaemon, startDaemon } from "../process/daemon.ts";
import { sendMail } from "../process/smtp-client.ts";
import { drained } from "../process/verdict.ts";
import { type DnsServer, startDnsServer } from "../support/dns-server.ts";
import { signingKey } from "../support/signer.ts";
import { type Opendkim, opendkimSelector, startOpendkim } from "./opendkim.ts";
import { freePort, type Postfix, postfixAvailable, startPostfix } from "./postfix.ts";
import { hasTool } from "./tools.ts";

const available = (await postfixAvailable()) && hasTool("opendkim");

/** Signed by opendkim: that of our sender, and one whose mail a gateway spoils after it was signed. */
const signing = ["good.test", "broken.test"];

/** What each mail is, and what is to become of it. */
interface Case {
  readonly name: string;
  readonly from: string;
  readonly body?: string;
  readonly evidence: Record<"spf" | "dkim" | "dmarc", string | undefined>;
  readonly trust: string;
  readonly state: "processed" | "held";
  /** Words of `explain`. */
  readonly says: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: "verified",
    from: "ana@good.test",
    evidence: { spf: "pass", dkim: "pass", dmarc: "pass" },
    trust: "verified",
    state: "processed",
    says: ["signature of good.test (key mail)", "pass, for good.test, its policy is reject, by mailwright"],
  },
  {
    name: "unsigned",
    from: "ben@plain.test",
    evidence: { spf: "none", dkim: undefined, dmarc: "none" },
    trust: "unverified",
    state: "processed",
    says: ["none, for plain.test, by mailwright: no record"],
  },
  {
    name: "broken",
    from: "cleo@broken.test",
    body: "The price is 100.",
    evidence: { spf: "fail", dkim: "fail", dmarc: "fail" },
    trust: "suspicious",
    state: "held",
    says: ["body hash did not verify", "fail, for broken.test, its policy is reject"],
  },
  {
    name: "spoofed",
    from: "ceo@bank.test",
    evidence: { spf: "fail", dkim: undefined, dmarc: "fail" },
    trust: "suspicious",
    state: "held",
    says: ["nothing that passed is aligned"],
  },
  {
    name: "unanswered",
    from: "dan@down.test",
    evidence: { spf: "temperror", dkim: undefined, dmarc: "temperror" },
    trust: "unverified",
    state: "processed",
    says: ["temperror, for down.test"],
  },
];

const idOf = ({ name }: Case): string => `<${name}.1@mail.test>`;

describe.skipIf(!available)("mail that a real MTA signs and hands on", () => {
  let dns: DnsServer;
  let opendkim: Opendkim;
  let postfix: Postfix;
  let account: HubspotSandbox;
  let sandbox: RunningSandbox;
  let home: Home;
  let daemon: RunningDaemon;

  beforeAll(async () => {
    dns = await startDnsServer();
    publish(dns);
    opendkim = await startOpendkim(signing);
    const clock = { now: () => Date.now(), sleep: async () => undefined };
    account = createHubspotSandbox({ clock, options: { prepared: true, limits: "off", searchLagMs: 0 } });
    sandbox = await startSandbox(account);
    const port = await freePort();
    home = await makeHome(
      [
        { id: "crm", type: "local" },
        { id: "hub", type: "hubspot", base_url: sandbox.url, token: sandboxToken },
      ],
      {
        smtp: { host: "127.0.0.1", port, name: "mx.in.test", limits: { connections_per_ip: 0 } },
        dns: { servers: [dns.address], timeout: "2s", verify: true },
      },
    );
    daemon = await startDaemon(home);
    postfix = await startPostfix({
      role: { kind: "relay", toPort: port },
      domain: "in.test",
      settings: {
        smtpd_milters: opendkim.milter,
        milter_default_action: "tempfail",
        // A gateway that changes what it hands on, after the signature.
        smtp_body_checks: "regexp:{{/^The price is 100/ REPLACE The price is 900.}}",
      },
    });
    for (const one of cases) {
      const data = `From: ${one.name} <${one.from}>\r\nTo: deals@in.test\r\nSubject: ${one.name}\r\nMessage-ID: ${idOf(one)}\r\nDate: ${new Date().toUTCString().replace("GMT", "+0000")}\r\n\r\n${one.body ?? "Please call me."}\r\n`;
      const sent = await sendMail(postfix.port, { from: one.from, to: ["deals@in.test"], data });
      expect(sent).toMatchObject({ kind: "acknowledged" });
    }
    await gone(postfix);
    await drained(daemon.httpPort, 60_000);
  });

  afterAll(async () => {
    await postfix?.stop();
    await daemon?.kill("SIGTERM");
    await sandbox?.close();
    await opendkim?.stop();
    await dns?.close();
    await home?.remove();
  });

  const at = (...args: string[]): Promise<Ran> => mailwright([...args, "--config", home.config]);

  test.each(cases)("$name: the evidence is taken, and it ends as it should", async (one) => {
    const [ran, told] = await Promise.all([at("explain", idOf(one), "--json"), at("explain", idOf(one))]);
    const { event, deliveries } = shapes.explain.parse(ran.json());
    const { spf, dkim, dmarc, trust } = event?.auth ?? {};
    expect({ spf: spf?.result, dkim: dkim?.[0]?.result, dmarc: dmarc?.result }).toEqual(one.evidence);
    expect(trust).toBe(one.trust);
    expect(deliveries.map(({ destination, state }) => [destination, state])).toEqual([
      ["crm", one.state],
      ["hub", one.state],
    ]);
    for (const words of one.says) expect(told.out).toContain(words);
  });

  test("whoever passed or has nothing against him is a contact with a mail, in both CRMs; nobody else is anything", async () => {
    const expected = cases.filter(({ state }) => state === "processed").map(({ from }) => from);
    expect(
      inLocal(home, "contact")
        .map(({ email }) => email)
        .sort(),
    ).toEqual(expected);
    expect(
      inLocal(home, "activity")
        .map(({ message_id }) => message_id)
        .sort(),
    ).toEqual(
      cases
        .filter(({ state }) => state === "processed")
        .map(idOf)
        .sort(),
    );
    const text = JSON.stringify(account.state());
    for (const { from, state } of cases) expect([from, text.includes(from)]).toEqual([from, state === "processed"]);
  });

  test("a company is made of nobody who is not known to be who he says", () => {
    const companies = JSON.stringify(inLocal(home, "company"));
    for (const { from, trust } of cases) {
      if (trust !== "verified") expect(companies).not.toContain(from.slice(from.indexOf("@") + 1));
    }
  });
});

/** The names of all senders. The daemon's peer is Postfix on 127.0.0.1. */
function publish({ zone }: DnsServer): void {
  zone.add("good.test", "TXT", "v=spf1 ip4:127.0.0.1 -all");
  for (const domain of ["broken.test", "bank.test"]) zone.add(domain, "TXT", "v=spf1 ip4:192.0.2.1 -all");
  for (const domain of signing) {
    zone.add(`${opendkimSelector}._domainkey.${domain}`, "TXT", signingKey("rsa", domain).record);
  }
  for (const domain of ["good.test", "broken.test", "bank.test"])
    zone.add(`_dmarc.${domain}`, "TXT", "v=DMARC1; p=reject");
  zone.add("plain.test", "A", "192.0.2.2");
  for (const name of ["down.test", "_dmarc.down.test"]) zone.fail(name, "servfail");
}

async function gone(postfix: Postfix, patienceMs = 60_000): Promise<void> {
  const end = Date.now() + patienceMs;
  while ((await postfix.queued()) > 0) {
    if (Date.now() > end) throw new Error(`Postfix still holds mail; see ${postfix.log()}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function inLocal(home: Home, kind: RecordKind): Record<string, unknown>[] {
  const records = openLocalRecords(join(home.dataDir, "crm.sqlite"));
  try {
    return records.list(kind, { limit: 1_000 }).map(({ fields }) => fields as Record<string, unknown>);
  } finally {
    records.close();
  }
}
