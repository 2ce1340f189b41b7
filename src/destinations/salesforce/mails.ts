/** Logged mails: one EmailMessage with its people in one transaction; a mail that a mailbox sync has logged already is taken, not doubled. */
import type { Ref, Refs } from "../../model/destination.ts";
import { openDealCounts, openDealsNote } from "../../model/open-deals.ts";
import { Refused } from "../../model/outcome.ts";
import type { ActivityStep } from "../../model/step.ts";
import type { WireResponse } from "../../model/wire.ts";
import { attachmentBlock } from "../shared/attached.ts";
import { bodyOf } from "../shared/body.ts";
import { known, permanent, together } from "../shared/calls.ts";
import { maxBodyChars } from "../shared/text.ts";
import { type Api, isId, paths, type Row, type SubRequest, textOf } from "./api.ts";
import { emailBody, ownFields, relationBody, relationTypeOf } from "./bodies.ts";
import { isCode, reasonOf } from "./classify.ts";
import { openDealsQuery } from "./deals.ts";
import type { Org, Shape } from "./org.ts";
import { objectOf, type Records } from "./records.ts";
import { eachNoted, type Relations } from "./relations.ts";
import { oneOf, select } from "./soql.ts";
import type { Wishes } from "./wishes.ts";

export interface Mails {
  find(step: ActivityStep, refs: Refs): Promise<Ref | undefined>;
  put(step: ActivityStep, refs: Refs): Promise<Ref>;
}

export interface MailPorts {
  readonly api: Api;
  readonly org: Org;
  readonly records: Records;
  readonly relations: Relations;
  readonly wishes: Wishes;
  readonly html: boolean;
  /** Whether a mail that another program logged is taken. */
  readonly takesSynced: boolean;
}

/** A composite has 25 parts. */
const mostPeople = 20;
const isTooLong = (answer: WireResponse): boolean => isCode(answer, "STRING_TOO_LONG");

/** Ids of the records that the mail belongs to, each once. */
function targetsOf({ about }: ActivityStep, refs: Refs): { people: string[]; companies: string[]; deals: string[] } {
  const ids = [...new Set(about.map((key) => known(refs, key).id))];
  const of = (kind: "person" | "company" | "deal") => ids.filter((id) => objectOf(kind, id) !== undefined);
  return { people: of("person"), companies: of("company"), deals: of("deal") };
}

export function openMails(ports: MailPorts): Mails {
  const { api, org, records, relations, wishes, html, takesSynced } = ports;

  /** One call for all that has to be known before: which deals are open, and whether a mailbox sync has logged this mail. */
  async function before(
    step: ActivityStep,
    people: readonly string[],
  ): Promise<{ deals: string[]; synced: Row | undefined }> {
    const contact = step.deals === undefined ? undefined : people.find((id) => id.startsWith("003"));
    const deals =
      contact === undefined || step.deals === undefined ? [] : [openDealsQuery(contact, openDealCounts[step.deals])];
    const isAsked = takesSynced && step.message_id !== null && !step.flags.includes("message_id_conflict");
    const synced = isAsked ? [syncedQuery(step.message_id ?? "")] : [];
    const answers = await api.queries(
      "EmailMessage",
      [...deals, ...synced].map((soql) => ({ soql })),
    );
    const open = deals.length === 0 ? [] : (answers[0] ?? []).flatMap((row) => textOf(row, "OpportunityId") ?? []);
    const rows = synced.length === 0 ? [] : (answers.at(-1) ?? []);
    return { deals: open.filter(isId), synced: rows.find((row) => isSynced(row, step)) };
  }

  /** For a mail that stands already. */
  const relateAll = ({ direction }: ActivityStep, mail: string, people: readonly string[]) =>
    eachNoted(people.slice(0, mostPeople), (person, index) =>
      relations.relate(mail, person, relationTypeOf(direction, index)),
    );

  /** Our key is put on it: an org's own field may be changed on a mail that is history, and by it the mail is found from now on. */
  async function taken(synced: Row, step: ActivityStep, people: readonly string[]): Promise<Ref | undefined> {
    const shape = await org.shape("EmailMessage");
    const ours = {
      [ownFields.key]: step.key,
      [ownFields.files]: filesOf(step, shape),
    };
    const { body } = await org.fitted("EmailMessage", ours);
    if (!(await records.change("EmailMessage", synced, body))) return undefined;
    const note = together(takenNote, await relateAll(step, synced.Id, people));
    return records.refOf("EmailMessage", { id: synced.Id, adopted: true, ...(note === undefined ? {} : { note }) });
  }

  async function send(
    step: ActivityStep,
    targets: ReturnType<typeof targetsOf>,
    open: readonly string[],
    limit: number,
  ) {
    const shape = await org.shape("EmailMessage");
    const { fields, note } = await wishes.of("EmailMessage", step);
    const body = bodyOf(step, limit, undefined, html);
    const RelatedToId = targets.deals[0] ?? open[0] ?? targets.companies[0];
    let cut: string | undefined;
    const made = await records.make({
      object: "EmailMessage",
      key: step.key,
      once: true,
      expected: isTooLong,
      beside: targets.people.slice(0, mostPeople).map(
        (id, index): SubRequest => ({
          method: "POST",
          url: paths.records("EmailMessageRelation"),
          referenceId: `person${index}`,
          body: relationBody("@{record.id}", id, relationTypeOf(step.direction, index)),
        }),
      ),
      async fields(key) {
        const own = emailBody(step, body, { RelatedToId, key }, filesOf(step, shape));
        const fitted = await org.fitted("EmailMessage", { ...fields, ...own });
        cut = fitted.note;
        return fitted.body;
      },
    });
    if ("status" in made) return made;
    if (made.adopted) {
      // Taken from a sync, or gone by itself: the way to its people may have been cut off. A deleted one has a note, and needs nobody.
      const note = made.note ?? (await relateAll(step, made.id, targets.people));
      return records.refOf("EmailMessage", { ...made, ...(note === undefined ? {} : { note }) });
    }
    const alone = made.alone === true ? await relateAll(step, made.id, targets.people) : undefined;
    const isOpen = RelatedToId !== undefined && RelatedToId === open[0] && targets.deals.length === 0;
    const all = together(
      body.note,
      cut,
      note,
      isOpen ? openDealsNote([RelatedToId]) : undefined,
      manyNote(targets),
      alone,
    );
    return records.refOf("EmailMessage", { ...made, ...(all === undefined ? {} : { note: all }) });
  }

  return {
    async find(step) {
      const hasEvent = (await org.shape("EmailMessage")).has(ownFields.event);
      const { live } = await records.byKey("EmailMessage", step.key, hasEvent ? [ownFields.event] : []);
      // One that was taken has no event: another program made it.
      const ours = live !== undefined && textOf(live, ownFields.event) !== null;
      return live && records.refOf("EmailMessage", { id: live.Id, adopted: true, ours });
    },
    async put(step, refs) {
      const targets = targetsOf(step, refs);
      const shape = await org.shape("EmailMessage");
      const { deals, synced } = await before(step, targets.people);
      const found = synced === undefined ? undefined : await taken(synced, step, targets.people);
      if (found !== undefined) return found;
      const room = Math.min(maxBodyChars, bodyChars(shape));
      for (const limit of [room, Math.floor(room / 2)]) {
        const made = await send(step, targets, deals, limit);
        if (!("status" in made)) return made;
        if (limit !== room) throw permanent(`${reasonOf(made)}; also with half the text`);
      }
      throw new Refused({ kind: "retryable", reason: "the mail was not sent" });
    },
  };
}

const takenNote = "a mailbox sync had logged this mail: it was taken, with its people";

const manyNote = ({ people, companies, deals }: ReturnType<typeof targetsOf>): string | undefined =>
  together(
    people.length > mostPeople ? `only on the first ${mostPeople} of ${people.length} people` : undefined,
    deals.length > 1 ? `Salesforce puts a mail on one opportunity: on ${deals[0]}` : undefined,
    companies.length > 1 || (companies.length > 0 && deals.length > 0)
      ? "on accounts through its people and opportunity"
      : undefined,
  );

/** What describe says, or what the object reference of older editions does. */
const bodyChars = (shape: Shape): number => shape.fields.get("TextBody")?.length || 32_000;

/** The list as it is now; the text of a mail that is history cannot be changed, so that it stands in a field of our own too. */
function filesOf({ attachments }: ActivityStep, shape: Shape): string | undefined {
  const facts = shape.fields.get(ownFields.files);
  return facts?.createable === true ? attachmentBlock(attachments, "text", facts.length) : undefined;
}

/** With and without angle brackets: programs differ. */
const syncedQuery = (messageId: string): string =>
  select({
    fields: ["Id", "Subject", "FromAddress", "MessageDate", "LastModifiedDate", ownFields.key],
    from: "EmailMessage",
    where: `MessageIdentifier IN ${oneOf([messageId, messageId.replace(/^<|>$/g, "")])}`,
    order: "CreatedDate ASC",
    limit: 20,
  });

const dayMs = 86_400_000;

/**
 * A Message-ID alone proves nothing: whoever forged one could keep a real mail out. Sender, subject and day have to be the same, and the mail
 * must be nobody's of ours.
 */
function isSynced(row: Row, { from, subject, at }: ActivityStep): boolean {
  const same = (one: string | null, other: string): boolean =>
    (one ?? "").trim().toLowerCase() === other.trim().toLowerCase();
  const date = Date.parse((textOf(row, "MessageDate") ?? "").replace(/\+0000$/, "Z"));
  return (
    textOf(row, ownFields.key) === null &&
    from !== null &&
    same(textOf(row, "FromAddress"), from.email) &&
    same(textOf(row, "Subject"), subject) &&
    Math.abs(date - at) < dayMs
  );
}
