/** The mails that are driven to a Tryton: ten people at three companies, and a daemon that makes parties, deals and notes of them. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { type Home, makeHome } from "../process/daemon.ts";

const senders = 10;
const firms = 3;

/** Mails of ten people at three companies; every fourth mail is the request that a deal is made of. */
export function letterOf(number: number): { readonly id: string; readonly data: string; readonly from: string } {
  const sender = number % senders;
  const domain = `firm${sender % firms}.example`;
  const from = `person${sender}@${domain}`;
  const id = `<mail-${number}@${domain}>`;
  const proof = `mx.in.test; dmarc=pass header.from=${domain}; dkim=pass header.d=${domain}; spf=pass smtp.mailfrom=${domain}`;
  const lines = [
    `Authentication-Results: ${proof}`,
    `From: Person Number${sender} <${from}>`,
    "To: deals@in.test",
    `Subject: ${isDeal(number) ? "Quote" : "Note"} ${number}`,
    `Message-ID: ${id}`,
    `Date: ${new Date(Date.now() - 60_000).toUTCString().replace("GMT", "+0000")}`,
    "",
    `word-${number}-end`,
    "",
  ];
  return { id, data: lines.join("\r\n"), from };
}
export const isDeal = (number: number): boolean => number % 4 === 0;

const rules = [
  { name: "quotes", when: { subject: "quote" }, do: { company: {}, deal: { create: { stage: "lead" } } } },
  { name: "all", do: { company: {} } },
];

export interface TrytonLogin {
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

export async function homeFor(login: TrytonLogin, base_url: string): Promise<Home> {
  const { database, user, password } = login;
  const crm = { id: "crm", type: "tryton", base_url, database, user, password, late_commit_ms: 300 };
  const tenant = {
    id: "acme",
    recipients: ["*@in.test"],
    people: { own_domains: ["in.test"] },
    trust: { authserv_ids: ["mx.in.test"], relays: ["127.0.0.1"] },
    mapping: "./crm.yaml",
    destinations: [crm],
  };
  // Nobody answers there: the word of the host that took the mail in is what counts.
  const home = await makeHome([], { tenants: [tenant], dns: { servers: ["127.0.0.1:9"] } });
  await writeFile(join(home.dir, "crm.yaml"), stringify({ rules }));
  return home;
}
