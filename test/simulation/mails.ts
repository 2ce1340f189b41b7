/** The mail of a world: who writes what to whom, as bytes, and what has to become of it. */
import type { Envelope } from "../../src/model/envelope.ts";
import type { Chance } from "./chance.ts";
import { type AttachedFile, attach, withAttached } from "./files.ts";

export const tenants = ["acme", "globex"] as const;
export type Tenant = (typeof tenants)[number];

/**
 * person: one activity at each CRM. automated: skipped. nameless: held. refused: HubSpot will have nothing to do with its sender.
 * poison: every whole parse of it ends in a broken child. killer: it ends in a dead daemon.
 */
export type Kind = "person" | "automated" | "nameless" | "refused" | "poison" | "killer";

export interface Mail {
  /** Stands in the subject and in the body; no two mails share it. */
  readonly token: string;
  readonly kind: Kind;
  readonly bytes: Buffer;
  readonly body: string;
  readonly files: readonly AttachedFile[];
  readonly from: string | null;
  readonly tenants: readonly Tenant[];
  /** The id that its thread begins with. */
  readonly thread: string;
}

export interface Transmission {
  readonly mail: Mail;
  /** The bytes as this path delivers them. */
  readonly bytes: Buffer;
  readonly envelopes: readonly Omit<Envelope, "received_at">[];
  readonly startsAt: number;
  /** The sender goes away in the middle and never comes back. */
  readonly cutOff: boolean;
}

/** Nothing is made for whoever this is. */
export const blockedSender = "erased@people.test";
const people = ["ada@people.test", "bob@people.test", "eve@shop.test"] as const;
export const poisonMark = "x-poison: ";

export function writeMails(
  chance: Chance,
  count: number,
  spanMs: number,
): { mails: Mail[]; transmissions: Transmission[] } {
  const mails: Mail[] = [];
  for (let index = 0; index < count; index++) mails.push(writeMail(index, mails, chance));
  const transmissions = mails.flatMap((mail) => sendings(mail, spanMs, chance));
  return { mails, transmissions };
}

function kindOf(chance: Chance): Kind {
  const roll = chance.unit();
  if (roll < 0.82) return "person";
  if (roll < 0.88) return "automated";
  if (roll < 0.91) return "nameless";
  if (roll < 0.95) return "refused";
  return roll < 0.98 ? "poison" : "killer";
}

function writeMail(index: number, before: readonly Mail[], chance: Chance): Mail {
  const token = `tk${index}-${chance.hex(8)}`;
  const kind = kindOf(chance);
  const earlier = before.filter((mail) => mail.kind === "person");
  const answered = earlier.length > 0 && chance.flip(0.4) ? chance.pick(earlier) : undefined;
  const copied = before.length > 0 && chance.flip(0.08) ? chance.pick(before) : undefined;
  const from = fromOf(kind, chance);
  // The same Message-ID with other content: both are kept.
  const id = copied !== undefined ? idOf(copied) : chance.flip(0.1) ? undefined : `<${token}@people.test>`;
  const root = answered === undefined ? undefined : rootOf(answered);
  const length = chance.flip(0.35) ? chance.between(3_000, 9_000) : chance.between(0, 300);
  const body = `${token} ${"lorem ".repeat(Math.ceil(length / 6))}end-of-${token}`;
  const files = attach(chance);
  const content = withAttached(body, files);
  const lines = [
    ...(from === null ? [] : [`From: Person ${from.slice(0, 3)} <${from}>`]),
    "To: deals@in.test",
    // Whoever answers one of these takes part in it.
    `Cc: ${people.join(", ")}`,
    "Date: Mon, 05 Jan 2026 10:00:00 +0000",
    `Subject: about the order, ${token}`,
    ...(id === undefined ? [] : [`Message-ID: ${id}`]),
    ...(root === undefined ? [] : [`References: ${root}`]),
    ...(kind === "automated" ? ["Auto-Submitted: auto-generated"] : []),
    ...(kind === "poison" || kind === "killer" ? [`X-Poison: ${kind}`] : []),
    ...content.head,
    "",
    ...content.body,
    "",
  ];
  const to: Tenant[] = chance.flip(0.2) ? [...tenants] : [chance.flip(0.7) ? "acme" : "globex"];
  const bytes = Buffer.from(lines.join("\r\n"));
  return { token, kind, bytes, body, files, from, tenants: to, thread: root ?? id ?? token };
}

/** What an answer names as the beginning; a mail without an id can be named by nobody. */
const rootOf = (answered: Mail): string =>
  answered.thread.startsWith("<") ? answered.thread : `<${answered.token}@people.test>`;

function fromOf(kind: Kind, chance: Chance): string | null {
  if (kind === "nameless") return null;
  if (kind === "refused") return blockedSender;
  return chance.pick(people);
}

function idOf(mail: Mail): string | undefined {
  return /^Message-ID: (.*)$/m.exec(mail.bytes.toString("latin1"))?.[1]?.trim();
}

/** Once, and sometimes again: by another relay, to another address, or cut short. */
function sendings(mail: Mail, spanMs: number, chance: Chance): Transmission[] {
  const sending = (startsAt: number, bytes: Buffer, cutOff: boolean): Transmission => ({
    mail,
    bytes,
    envelopes: envelopesOf(mail, chance),
    startsAt,
    cutOff,
  });
  const at = Math.floor(chance.unit() * spanMs);
  const all: Transmission[] = [];
  // A mail that is only ever cut off must never be seen again.
  const only = chance.flip(0.04);
  if (only || chance.flip(0.1)) all.push(sending(at, mail.bytes, true));
  if (only) return all;
  all.push(sending(at + chance.between(0, 60_000), mail.bytes, false));
  while (chance.flip(0.25)) {
    const relayed = Buffer.concat([Buffer.from(`Received: from relay by mx; ${chance.hex(6)}\r\n`), mail.bytes]);
    all.push(sending(at + chance.between(0, spanMs), chance.flip(0.5) ? relayed : mail.bytes, false));
  }
  return all;
}

function envelopesOf(mail: Mail, chance: Chance): Omit<Envelope, "received_at">[] {
  const many = chance.flip(0.05) ? chance.between(20, 120) : chance.between(1, 2);
  return mail.tenants.map((tenant) => {
    const routes = Array.from({ length: many }, (_, index) =>
      index === 0 && chance.flip(0.7)
        ? `deals@in.${tenant}.test`
        : `deals+tag${chance.between(1, many * 3)}@in.${tenant}.test`,
    );
    const smtp = {
      remote_ip: "192.0.2.7",
      helo: "relay.people.test",
      tls: null,
      mail_from: mail.from ?? "nameless@people.test",
      rcpt_to: routes,
    };
    return { kind: "smtp", tenant, routes: [...new Set(routes)], smtp };
  });
}
