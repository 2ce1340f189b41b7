/**
 * Logged e-mails: each once. Close takes no key for one, so it is found again by our marker among those of its moment; and where Close's own
 * mailbox sync has logged the same mail already, that is the one.
 */
import type { Ref, Refs } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { ActivityStep } from "../../model/step.ts";
import { bodyOf } from "../shared/body.ts";
import { permanent, together } from "../shared/calls.ts";
import { endsWithMarker, markerOf, maxBodyChars, subjectOf } from "../shared/text.ts";
import { type Api, type Email, emailSchema, emailsSchema, paths, shaped } from "./api.ts";
import { type EmailBody, emailBody, senderOf, timeOf } from "./bodies.ts";
import { oldest } from "./oldest.ts";
import { openLooking, type Places, standsOn } from "./places.ts";
import type { Wishes } from "./wishes.ts";

export interface Emails {
  find(step: ActivityStep, refs: Refs): Promise<Ref | undefined>;
  put(step: ActivityStep, refs: Refs): Promise<Ref>;
}

export interface EmailsPorts {
  readonly api: Api;
  readonly places: Places;
  readonly wishes: Wishes;
  readonly user: string | undefined;
  readonly html: boolean;
}

/** Whether Close keeps the time that it is given was never tried: until one e-mail has shown it, whole lists are read and not those of a moment. */
type Times = "unknown" | "kept" | "changed";

const windowMs = 2_000;
const dayMs = 86_400_000;
/** Texts come with them: 25 of the longest stay below what a call's answer may have. */
const pageSize = "25";
const shownFields = "id,lead_id,contact_id,subject,sender,body_text,message_ids,activity_at,date_created";

export function openEmails({ api, places, wishes, user, html }: EmailsPorts): Emails {
  let times: Times = "unknown";
  const looks = openLooking(places);

  const list = (query: Readonly<Record<string, string>>): Promise<Email[]> =>
    api.all(
      emailsSchema,
      (skip) => paths.emailsOf({ ...query, _fields: shownFields, _limit: pageSize, _skip: String(skip) }),
      "email",
    );

  /** Of our own a moment; of what a mailbox sync logged a day, since its clock and the time zone that it takes a Date for are its own. */
  function around(lead: string, step: ActivityStep, withinMs: number): Promise<Email[]> {
    const [from, to] = [timeOf(step) - withinMs, timeOf(step) + withinMs].map((at) => new Date(at).toISOString());
    return list({ lead_id: lead, activity_at__gte: from ?? "", activity_at__lte: to ?? "" });
  }

  async function find(step: ActivityStep, refs: Refs): Promise<Ref | undefined> {
    looks(step.key, step.about, refs);
    return await standsOn(step.about, refs, places, async (lead) => {
      const within = maySync(step) ? dayMs : windowMs;
      const all = times === "kept" ? await around(lead, step, within) : await list({ lead_id: lead });
      const marker = markerOf(step.key);
      const ours = oldest(all.filter(({ body_text }) => endsWithMarker(body_text, marker)));
      if (ours !== undefined) return { id: ours.id, adopted: true };
      const synced = oldest(all.filter((email) => isSame(email, step)));
      if (synced === undefined) return undefined;
      return {
        id: synced.id,
        adopted: true,
        note: "Close's own mailbox sync had logged this mail; it is not logged again",
      };
    });
  }

  /** The list of its moment shows what was just logged: from now on that list is enough. */
  async function learn(email: Email, step: ActivityStep, lead: string): Promise<void> {
    const at = Date.parse(email.activity_at ?? "");
    if (!(Math.abs(at - timeOf(step)) <= windowMs)) {
      times = "changed";
      return;
    }
    if (times !== "unknown") return;
    try {
      const there = await around(lead, step, windowMs);
      if (there.some(({ id }) => id === email.id)) times = "kept";
    } catch (error) {
      // It is logged, and that is what counts; the next one shows it.
      if (!(error instanceof Refused)) throw error;
    }
  }

  return {
    find,
    async put(step, refs) {
      const sender = senderOf(step);
      if (sender === undefined)
        throw permanent("Close logs no e-mail without a sender's address, and this one names none");
      const owner = step.owner == null ? undefined : await wishes.owner(step.owner);
      const body = bodyOf(step, maxBodyChars, markerOf(step.key), html);
      const fields =
        Object.keys(step.fields ?? {}).length === 0 ? undefined : "an e-mail at Close has no fields of its own";
      const ownerless =
        step.owner != null && owner === undefined ? "Close shows no user under the owner's address" : undefined;
      return await standsOn(step.about, refs, places, async (lead, contact) => {
        const request = emailBody(step, sender, { lead, contact, user: owner ?? user, body });
        const made = await log(api, request);
        await learn(made, step, lead);
        const changed = times === "changed" ? "Close logged it at another time than the mail's" : undefined;
        const note = together(body.note, fields, ownerless, changed);
        return { id: made.id, adopted: false, ...(note === undefined ? {} : { note }) };
      });
    },
  };
}

/** The one place that writes an e-mail. Any other status would send mail, or leave a draft that somebody sends. */
async function log(api: Api, body: EmailBody): Promise<Email> {
  const { status } = body;
  if (status !== "inbox" && status !== "sent")
    throw new TypeError(`an e-mail is logged, never sent: ${String(status satisfies never)}`);
  const answer = await api.call({ method: "POST", path: paths.emails, object: "email", body }, true);
  return shaped(emailSchema, answer, true);
}

/** Whether a mailbox sync can have logged it in a way that shows. */
const maySync = (step: Pick<ActivityStep, "message_id" | "from" | "flags">): boolean =>
  step.message_id !== null && step.from !== null && !step.flags.includes("message_id_conflict");

/**
 * A synced e-mail is this mail only if Message-ID, sender, subject and day agree: whoever forges the Message-ID of a mail must not keep the real
 * one out. Of an id that two mails lay claim to, nobody knows which of them the sync has logged.
 */
export function isSame(
  email: Email,
  step: Pick<ActivityStep, "message_id" | "from" | "subject" | "at" | "flags">,
): boolean {
  if (!maySync(step) || step.message_id === null || step.from === null) return false;
  const bare = (id: string): string => id.trim().replace(/^<|>$/g, "");
  const words = (text: string): string => text.replace(/\s+/g, " ").trim();
  const sender = /<([^<>]*)>\s*$/.exec(email.sender ?? "")?.[1] ?? email.sender ?? "";
  const id = bare(step.message_id);
  return (
    email.message_ids.some((other) => bare(other) === id) &&
    sender.trim().toLowerCase() === step.from.email.toLowerCase() &&
    words(subjectOf(email.subject ?? "")) === words(subjectOf(step.subject)) &&
    Math.abs(Date.parse(email.activity_at ?? "") - step.at) < dayMs
  );
}
