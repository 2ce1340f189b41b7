/**
 * Mails on records: Zoho takes a mail once for a record, by its Message-ID, and never changes or takes away what it took. A mail on several
 * records is the same mail on each: first on its person, with a deal where there is one, so that what is there can be found by that person.
 */
import { z } from "zod";
import type { KnownRef, Ref, Refs, Snapshot } from "../../model/destination.ts";
import { openDealsNote } from "../../model/open-deals.ts";
import type { ActivityStep } from "../../model/step.ts";
import { known, permanent, together } from "../shared/calls.ts";
import { endsWithMarker, halvedBodyChars, markerOf } from "../shared/text.ts";
import { type Api, idSchema, modules, paths } from "./api.ts";
import { type MailBody, mailBody, maxContentChars, originalId, timeOf } from "./bodies.ts";
import { aboutLinked, isDuplicate, isNoRecord, isTooLong, reasonOf } from "./classify.ts";
import type { Deals } from "./deals.ts";
import type { End } from "./links.ts";
import { type Place, placeOf, type Records, refIdOf } from "./records.ts";

export interface Mails {
  find(step: ActivityStep, refs: Refs): Promise<Ref | undefined>;
  put(step: ActivityStep, refs: Refs): Promise<Ref>;
  read(id: string, whole: boolean): Promise<Snapshot | undefined>;
  /** Refused (permanent) for a mail that is not on the record, and of which nothing is at hand any more. */
  link(id: string, to: End): Promise<void>;
  /** `activity:Contacts/365.../...` of a record. */
  linksOf(place: Place): Promise<readonly string[]>;
}

const partySchema = z.object({ email: z.string().nullish() }).nullish().catch(undefined);
const mailSchema = z.object({
  message_id: z.string().max(300),
  subject: z.string().nullish(),
  time: z.string().nullish(),
  sent: z.boolean().nullish(),
  content: z.string().nullish(),
  from: partySchema,
  owner: z.object({ id: idSchema }).nullish().catch(undefined),
  linked_record: z
    .object({ id: z.string(), module: z.object({ api_name: z.string() }).nullish() })
    .nullish()
    .catch(undefined),
});
type Mail = z.infer<typeof mailSchema>;
const mailsSchema = z.object({
  Emails: z.array(mailSchema),
  info: z.object({ next_index: z.string().nullish(), more_records: z.boolean().nullish() }).nullish(),
});
const madeSchema = z.object({
  Emails: z.tuple(
    [z.object({ code: z.literal("SUCCESS"), details: z.object({ message_id: z.string().max(300) }) })],
    z.unknown(),
  ),
});

/** Ten a page, the latest first: a mail that was just logged is on the first. */
const mostPages = 10;
const mostRemembered = 2_000;

/** `Contacts/365.../c6085f...`: Zoho's id of a mail means something on a record only. */
const idOf = ({ module, id }: Place, message: string): string => `${module}/${id}/${message}`;

function partsOf(id: string): { place: Place; message: string } | undefined {
  const [, name, record, message] = /^(\w+)\/(\d+)\/(.+)$/s.exec(id) ?? [];
  const module = modules.find((one) => one === name);
  return module === undefined || record === undefined || message === undefined
    ? undefined
    : { place: { module, id: record }, message };
}

type Associated = { readonly kind: "made"; readonly message: string } | { readonly kind: "there" };

export function openMails(api: Api, records: Records, deals: Pick<Deals, "openOf">): Mails {
  /** What this session logged or found, for the associations that the pipeline repeats after a find. */
  const remembered = new Map<string, { readonly step: ActivityStep; readonly linked: string | undefined }>();
  /** Whether Zoho wants or refuses a linked record shows with the first mail. */
  let linking: "takes" | "wants" | "refuses" = "takes";

  function remember(id: string, step: ActivityStep, linked: string | undefined): void {
    if (remembered.size >= mostRemembered) remembered.clear();
    remembered.set(id, { step, linked });
  }

  async function post(place: Place, mail: MailBody, linked: Place | undefined) {
    const own = linked ?? (linking === "wants" ? place : undefined);
    const with_ = own === undefined ? {} : { linked_record: { module: { api_name: own.module }, id: own.id } };
    const request = { method: "POST", path: paths.associate(place.module, place.id), object: "email" } as const;
    const body = { Emails: [{ ...mail, ...with_ }] };
    return await api.call({ ...request, body }, true, (reply) => isTooLong(reply) || aboutLinked(reply) !== undefined);
  }

  /** The mail on one record; `linked` as well in the same call, where Zoho takes that. */
  async function associate(
    step: ActivityStep,
    place: Place,
    linked: Place | undefined,
  ): Promise<Associated & { note: string | undefined; linked: boolean }> {
    let { mail, note } = mailBody(step, maxContentChars);
    let asked = linking === "refuses" ? undefined : linked;
    let answer = await post(place, mail, asked);
    const about = aboutLinked(answer);
    if (about === "wants" && linking === "takes") {
      linking = "wants";
      answer = await post(place, mail, asked);
    } else if (about === "refuses") {
      // Or the deal is gone: its own association will tell which it is.
      asked = undefined;
      answer = await post(place, mail, undefined);
    }
    if (isTooLong(answer)) {
      ({ mail, note } = mailBody(step, Math.floor(Math.min(maxContentChars, halvedBodyChars) / 2)));
      answer = await post(place, mail, asked);
      if (isTooLong(answer)) throw permanent(`${reasonOf(answer)}; also with half the text`);
    }
    if (aboutLinked(answer) !== undefined) throw permanent(reasonOf(answer));
    if (isDuplicate(answer)) return { kind: "there", note, linked: false };
    const message = api.shaped(madeSchema, answer, true).Emails[0].details.message_id;
    return { kind: "made", message, note, linked: asked !== undefined };
  }

  async function listed(place: Place): Promise<readonly Mail[]> {
    const found: Mail[] = [];
    let index: string | undefined;
    for (let page = 0; page < mostPages; page++) {
      const path = paths.mails(place.module, place.id, index === undefined ? {} : { index });
      const answer = await api.call({ method: "GET", path, object: "email" }, false, isNoRecord);
      if (isNoRecord(answer)) return found;
      const { Emails, info } = api.shaped(mailsSchema, answer, false);
      found.push(...Emails);
      if (info?.next_index == null || info.more_records === false) return found;
      index = info.next_index;
    }
    return found;
  }

  async function one(place: Place, message: string): Promise<Mail | undefined> {
    const request = { method: "GET", path: paths.mail(place.module, place.id, message), object: "email" } as const;
    const answer = await api.call(request, false, isNoRecord);
    return isNoRecord(answer) ? undefined : api.shaped(mailsSchema, answer, false).Emails[0];
  }

  /** The one thing that Zoho lets be added to a mail that it took long ago, where it has none. https://www.zoho.com/crm/developer/docs/api/v8/link-deals-email.html */
  async function linkDeal(contact: string, message_id: string, owner: string, id: string): Promise<void> {
    const linked_record = { module: { api_name: "Deals" }, id };
    const body = { Emails: [{ message_id, owner: { id: owner }, linked_record }] };
    await api.call({ method: "POST", path: paths.linkMails(contact), object: "association", body }, true, isDuplicate);
  }

  /** Ours on this record: by its time and subject, and then by the marker at its end, since two mails may share the former. */
  async function ours(step: ActivityStep, place: Place): Promise<{ mail: Mail | undefined; alike: readonly Mail[] }> {
    const { mail } = mailBody(step, maxContentChars);
    const at = Date.parse(timeOf(step.at));
    const sender = mail.from.email.toLowerCase();
    const alike = (await listed(place)).filter(
      ({ time, subject, from }) =>
        Date.parse(time ?? "") === at &&
        (subject ?? "").trim() === mail.subject &&
        (from?.email ?? sender).toLowerCase() === sender,
    );
    for (const { message_id } of alike) {
      const whole = await one(place, message_id);
      if (endsWithMarker(whole?.content, markerOf(step.key))) return { mail: whole, alike };
    }
    return { mail: undefined, alike };
  }

  /** Where a mail goes: on whom first, with which deal in the same call, and on what else. */
  async function targetsOf(step: ActivityStep, refs: Refs, fresh: boolean) {
    const all = unique(step.about.map((key) => known(refs, key)));
    const [first] = [...all].sort((a, b) => rank(a) - rank(b));
    if (first === undefined)
      throw permanent("Zoho has no place for a mail that belongs to no contact, account or deal");
    const primary = placeOf(first.kind, first.id);
    const others = all.filter((ref) => ref !== first).map((ref) => placeOf(ref.kind, ref.id));
    const named = others.find(({ module }) => module === "Deals");
    const asked = fresh && named === undefined && step.deals !== undefined && first.kind === "person";
    const newest = asked ? (await deals.openOf(primary))[0] : undefined;
    const deal: Place | undefined = newest === undefined ? named : { module: "Deals", id: newest };
    const linked = primary.module === "Contacts" ? deal : undefined;
    const rest = others.filter((place) => place !== linked);
    if (newest !== undefined && linked === undefined) rest.push({ module: "Deals", id: newest });
    return { primary, linked, rest, newest };
  }

  return {
    async find(step, refs) {
      const { primary } = await targetsOf(step, refs, false);
      const { mail } = await ours(step, primary);
      if (mail === undefined) return undefined;
      const id = idOf(primary, mail.message_id);
      remember(id, step, mail.linked_record?.id);
      return { ...records.refOf(primary, true), id, ours: true };
    },

    async put(step, refs) {
      const { primary, linked, rest, newest } = await targetsOf(step, refs, true);
      const outcome = await associate(step, primary, linked);
      const notes = [outcome.note];
      const late = linked !== undefined && !outcome.linked ? [linked] : [];
      let message = outcome.kind === "made" ? outcome.message : undefined;
      let isOn = outcome.linked ? linked?.id : undefined;
      if (outcome.kind === "there") {
        const { mail, alike } = await ours(step, primary);
        const there = mail ?? (alike.length === 1 ? alike[0] : undefined);
        message = there?.message_id ?? originalId(step);
        isOn = there?.linked_record?.id;
        if (there === undefined)
          notes.push("Zoho knows this Message-ID already, and does not list the mail on this record");
        // It was logged before: on the deals of that time, and no others.
        if (newest !== undefined || isOn === linked?.id) late.length = 0;
      }
      for (const place of [...late, ...rest]) {
        const more = await associate(step, place, undefined);
        if (place === linked && outcome.kind === "made") linking = "refuses";
        if (more.kind === "there" && outcome.kind === "made" && !(await isListed(step, place)))
          notes.push(`Zoho keeps this mail on one record: it is not on ${place.module} ${place.id}`);
      }
      const id = idOf(primary, message ?? originalId(step));
      remember(id, step, isOn);
      if (newest !== undefined && outcome.kind === "made") notes.push(openDealsNote([newest]));
      const note = together(...notes);
      return { ...records.refOf(primary, outcome.kind === "there", note), id };
    },

    async read(id, whole) {
      const parts = partsOf(id);
      const mail = parts === undefined ? undefined : await one(parts.place, parts.message);
      if (parts === undefined || mail === undefined) return undefined;
      const { subject = null, time = null, content = null, sent } = mail;
      const fields = { subject, time, content, sent: String(sent ?? ""), from: mail.from?.email ?? null };
      if (!whole) return { id, archived: false, fields };
      const linked = mail.linked_record;
      const links = [`${kindOf(parts.place.module)}:${refIdOf(parts.place)}`];
      if (linked?.module?.api_name === "Deals") links.push(`deal:${linked.id}`);
      return { id, archived: false, fields, links };
    },

    async link(id, to) {
      const parts = partsOf(id);
      const target = placeOf(to.kind, to.id);
      if (parts?.place.module === target.module && parts.place.id === target.id) return;
      const at = remembered.get(id);
      if (at?.linked === target.id) return;
      if (at !== undefined) {
        await associate(at.step, target, undefined);
        return;
      }
      const mail = parts === undefined ? undefined : await one(parts.place, parts.message);
      if (mail?.linked_record?.id === target.id) return;
      const owner = mail?.linked_record == null ? mail?.owner?.id : undefined;
      if (
        mail !== undefined &&
        owner !== undefined &&
        parts?.place.module === "Contacts" &&
        target.module === "Deals"
      ) {
        await linkDeal(parts.place.id, mail.message_id, owner, target.id);
        return;
      }
      throw permanent(`Zoho cannot put a logged mail on another record (${target.module} ${target.id})`);
    },

    linksOf: async (place) => (await listed(place)).map(({ message_id }) => `activity:${idOf(place, message_id)}`),
  };

  async function isListed(step: ActivityStep, place: Place): Promise<boolean> {
    return (await ours(step, place)).alike.length > 0;
  }
}

const rank = ({ kind }: KnownRef): number => (kind === "person" ? 0 : kind === "deal" ? 1 : 2);

/** Two addresses of one contact are one. */
function unique(refs: readonly KnownRef[]): KnownRef[] {
  return [...new Map(refs.map((ref) => [`${ref.kind}:${ref.id}`, ref])).values()];
}

const kindOf = (module: Place["module"]): string =>
  module === "Accounts" ? "company" : module === "Deals" ? "deal" : "person";
