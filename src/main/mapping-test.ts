/** Runs the cases of a mapping: each mail is read as the road reads it, with what the case states of it, and its plan compared. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { compilePeople } from "../mail/people.ts";
import { atKnownRecords, differencesOf } from "../mapping/cases.ts";
import { dealKey } from "../mapping/keys.ts";
import { type Mapping, planned } from "../mapping/plan.ts";
import type { Reading } from "../mapping/rules/decide.ts";
import type { Envelope } from "../model/envelope.ts";
import type { CanonicalEvent } from "../model/event.ts";
import type { Difference, KnownOfCase } from "../model/mapping-cases.ts";
import type { ThreadDeal } from "../model/mappings.ts";
import type { People } from "../model/people.ts";
import type { Decision } from "../model/step.ts";
import {
  BadConfiguration,
  type CaseTenant,
  compileRoutes,
  type LoadedCases,
  type MappingCase,
  type ShortMail,
} from "../settings/index.ts";
import type { Preview, RereadableMail } from "./preview.ts";

/** Whose mail the cases are, and what is tested. */
export interface CaseSubject {
  readonly tenant: string;
  readonly recipients: readonly string[];
  readonly people: People;
  readonly mapping: Mapping;
}

export interface CaseResult {
  readonly name: string;
  readonly line: number;
  readonly decision: Decision;
  readonly readings: readonly Reading[];
  readonly differences: readonly Difference[];
}

/** The tenant that a file of cases describes. */
export function subjectOf(tenant: CaseTenant, rules: Mapping["rules"]): CaseSubject {
  const route = compileRoutes([tenant]);
  const people = compilePeople(tenant.people, (email) => route(email).kind === "accepted");
  const { internal, disposable_contacts: disposableContacts } = tenant.people;
  return {
    tenant: tenant.id,
    recipients: tenant.recipients,
    people,
    mapping: { createContact: tenant.create_contact, internal, disposableContacts, rules },
  };
}

/** In the order of the file. Rejects with BadConfiguration for a mail that cannot be read, and for an event that is none. */
export async function testMapping(
  cases: LoadedCases,
  subject: CaseSubject,
  preview: Pick<Preview, "event">,
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const [at, one] of cases.file.cases.entries()) results.push(await runCase(at, one, cases, subject, preview));
  return results;
}

/** So that a case gives the same on every day. */
const receivedAt = Date.UTC(2026, 2, 10, 12);

async function runCase(
  at: number,
  one: MappingCase,
  cases: LoadedCases,
  subject: CaseSubject,
  preview: Pick<Preview, "event">,
): Promise<CaseResult> {
  const envelope = envelopeOf(one, subject);
  const mail = one.mail === undefined ? await mailFile(one.file ?? "", cases, at) : bytesOf(one.mail, envelope, at);
  const eventId = `0199aaaa-0000-7000-8000-${String(at + 1).padStart(12, "0")}`;
  const read = await preview.event(mail, envelope, { eventId, people: subject.people });
  const event = cases.eventOf(at, withKnown(read.event, one.known));
  const { decision, readings } = planned(event, subject.mapping, {
    digest: read.digest,
    deal: dealOf(event, one.known),
  });
  const there = atKnownRecords(decision, one.known.records);
  const differences = differencesOf(one.expect, there, one.known.records);
  return { name: one.name, line: cases.lineOf(at), decision: there, readings, differences };
}

function envelopeOf({ via, mailbox }: MappingCase, { tenant, recipients }: CaseSubject): Envelope {
  const first = recipients.find((pattern) => !pattern.startsWith("*")) ?? recipients[0]?.replace("*", "mail");
  const routes = mailbox ?? via ?? first ?? [];
  return {
    kind: mailbox === undefined ? "import" : "imap",
    tenant,
    routes: typeof routes === "string" ? [routes] : routes,
    received_at: receivedAt,
  };
}

function withKnown(event: CanonicalEvent, { trust, thread, method, confidence }: KnownOfCase): CanonicalEvent {
  const isKnown = thread === "known";
  return {
    ...event,
    auth: authBy(event.auth, trust),
    thread: {
      ...event.thread,
      ...(isKnown ? { parent_event_id: event.event_id, method: method ?? "header" } : {}),
      ...(confidence === undefined ? {} : { confidence }),
    },
  };
}

/** What the mail itself shows stays beside a person's trust: an answer that goes elsewhere, say. */
function authBy(auth: CanonicalEvent["auth"], trust: KnownOfCase["trust"]): CanonicalEvent["auth"] {
  if (trust === undefined) return auth;
  const reason = "the case says so";
  if (trust !== "trusted") return { ...auth, trust, reason };
  return {
    ...auth,
    trust: "aligned-weak",
    reason,
    reasons: [{ code: "sender_trusted", detail: null }, ...auth.reasons],
  };
}

function dealOf({ tenant }: CanonicalEvent, { deal }: KnownOfCase): ThreadDeal | undefined {
  return deal === undefined ? undefined : { key: dealKey(tenant, "<earlier@case.invalid>", ""), ...deal };
}

async function mailFile(path: string, cases: LoadedCases, at: number): Promise<RereadableMail> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
  if (typeof found !== "string" && found.isFile()) return { size: found.size, read: () => createReadStream(path) };
  throw new BadConfiguration([
    {
      place: { kind: "file", file: cases.path, line: cases.lineOf(at), column: 1 },
      path: `cases[${at}].file`,
      found: `${path}, which is no file that can be read${typeof found === "string" ? ` (${found})` : ""}`,
      expected: "a mail file (.eml), relative to the file of cases",
    },
  ]);
}

const listOf = (one: string | readonly string[] | undefined): readonly string[] =>
  one === undefined ? [] : typeof one === "string" ? [one] : one;

/** RFC 2047 §2: an encoded word has at most 75 characters; 10 characters of a text are at most 40 bytes, 56 of base64. */
const encodedWords = (text: string): string =>
  /^[\x20-\x7e]*$/.test(text)
    ? text
    : (text.match(/.{1,10}/gu) ?? [])
        .map((part) => `=?utf-8?B?${Buffer.from(part).toString("base64")}?=`)
        .join("\r\n ");

/** The bytes of a mail that a case writes out. */
export function bytesOf(mail: ShortMail, { routes, kind }: Envelope, at: number): RereadableMail {
  const to = listOf(mail.to ?? (kind === "imap" ? [] : routes.slice(0, 1)));
  const boundary = "=_case";
  const base64 = (text: string) =>
    (
      Buffer.from(text)
        .toString("base64")
        .match(/.{1,76}/g) ?? []
    ).join("\r\n");
  const part = (head: readonly string[], text: string) =>
    [...head, "Content-Transfer-Encoding: base64", "", base64(text), ""].join("\r\n");
  const body = part(["Content-Type: text/plain; charset=utf-8"], mail.text);
  const files = mail.files.map(({ name, type, text }) => {
    const named = `filename*=utf-8''${encodeURIComponent(name).replace(/['()*]/g, hex)}`;
    return part([`Content-Type: ${type}`, `Content-Disposition: attachment; ${named}`], text);
  });
  const head = [
    `From: ${mail.from}`,
    ...(to.length === 0 ? [] : [`To: ${to.join(",\r\n ")}`]),
    ...(mail.cc === undefined ? [] : [`Cc: ${listOf(mail.cc).join(",\r\n ")}`]),
    ...(mail.subject === undefined ? [] : [`Subject: ${encodedWords(mail.subject)}`]),
    `Date: ${mail.date}`,
    `Message-ID: ${mail.message_id ?? `<case-${at + 1}@case.invalid>`}`,
    ...Object.entries(mail.headers).map(([name, value]) => `${name}: ${value}`),
    "MIME-Version: 1.0",
  ];
  const content =
    files.length === 0
      ? body
      : [
          `Content-Type: multipart/mixed; boundary="${boundary}"`,
          "",
          ...[body, ...files].map((one) => `--${boundary}\r\n${one}`),
          `--${boundary}--`,
          "",
        ].join("\r\n");
  const bytes = Buffer.from([...head, content].join("\r\n"));
  return {
    size: bytes.length,
    async *read() {
      yield bytes;
    },
  };
}

const hex = (letter: string): string => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`;
