/** Records as they are now at Close, and where they stand. */
import type { KnownRef, Snapshot, Whole } from "../../model/destination.ts";
import type { StepKind } from "../../model/step.ts";
import type { Account } from "./account.ts";
import { type Api, contactSchema, emailSchema, leadSchema, opportunitySchema, paths, shaped } from "./api.ts";
import { type Places, placeOf } from "./places.ts";

export interface Reading {
  read(kind: StepKind, id: string, whole?: Whole): Promise<Snapshot | undefined>;
  /** Whether two records stand on the same lead, and an e-mail or an opportunity on that very contact. */
  together(from: Pick<KnownRef, "kind" | "id">, to: Pick<KnownRef, "kind" | "id">): Promise<boolean>;
}

type Record = Readonly<{ [name: string]: unknown }>;

interface Seen {
  readonly lead: string | null;
  readonly contact: string | null;
  readonly fields: Record;
}

const shown = (value: unknown): string | null =>
  value === null || value === undefined ? null : typeof value === "string" ? value : JSON.stringify(value);

export function openReading(api: Api, account: Account, places: Places): Reading {
  async function fetched(path: string, object: string) {
    const answer = await api.call({ method: "GET", path, object }, false);
    return answer.status === 404 ? undefined : answer;
  }

  async function seen(kind: StepKind, id: string): Promise<Seen | undefined> {
    switch (kind) {
      case "person": {
        const answer = await fetched(paths.contact(id), "contact");
        if (answer === undefined) return undefined;
        const found = shaped(contactSchema, answer, false);
        const email = placeOf(found).emails[0] ?? null;
        return {
          lead: found.lead_id,
          contact: null,
          fields: { ...custom(found), email, name: found.name, title: found.title },
        };
      }
      case "company": {
        const answer = await fetched(paths.lead(id), "lead");
        if (answer === undefined) return undefined;
        const found = shaped(leadSchema, answer, false);
        const { description, url, status_label } = found;
        return {
          lead: null,
          contact: null,
          fields: { ...custom(found), name: found.name, description, url, status_label },
        };
      }
      case "deal": {
        const answer = await fetched(paths.opportunity(id), "opportunity");
        if (answer === undefined) return undefined;
        const found = shaped(opportunitySchema, answer, false);
        const { note, status_id, status_label, value, user_id } = found;
        const fields = { ...custom(found), note, status_id, status_label, value, user_id };
        return { lead: found.lead_id, contact: found.contact_id ?? null, fields };
      }
      case "activity": {
        const answer = await fetched(paths.email(id), "email");
        if (answer === undefined) return undefined;
        const found = shaped(emailSchema, answer, false);
        const { subject, sender, activity_at, body_text, status } = found;
        const fields = { subject, sender, activity_at, body_text, status };
        return { lead: found.lead_id ?? null, contact: found.contact_id ?? null, fields };
      }
      case "file":
      case "link":
      case "unlink":
      case "archive":
      case "event_copy":
        return undefined;
      default:
        return kind satisfies never;
    }
  }

  return {
    async read(kind, id, whole) {
      const found = await seen(kind, id);
      if (found === undefined) return undefined;
      const known = Object.entries(found.fields).map(([name, value]) => [name, shown(value)] as const);
      const snapshot = { id, archived: false, fields: Object.fromEntries(known) };
      if (whole === undefined) return snapshot;
      const named = await byName(kind, whole.fields, found.fields, account);
      const links = [
        ...(found.contact === null ? [] : [`person:${found.contact}`]),
        ...(found.lead === null ? [] : [`company:${found.lead}`]),
      ];
      return { ...snapshot, fields: { ...snapshot.fields, ...named }, links };
    },
    async together(from, to) {
      if (from.kind === "person" && to.kind === "company") return (await places.of(from.id)).lead === to.id;
      const found = await seen(from.kind, from.id);
      if (found === undefined) return false;
      if (to.kind === "person") return found.contact === to.id;
      if (to.kind === "company") return found.lead === to.id;
      const other = await seen(to.kind, to.id);
      return other !== undefined && found.lead !== null && other.lead === found.lead;
    },
  };
}

/** Custom fields under Close's own names for them, `custom.cf_...`. */
const custom = (found: Record): Record =>
  Object.fromEntries(Object.entries(found).filter(([name]) => name.startsWith("custom.")));

/** Fields that a mapping names as people do. */
async function byName(
  kind: StepKind,
  names: readonly string[],
  fields: Record,
  account: Account,
): Promise<{ [name: string]: string | null }> {
  const object = ({ person: "contact", company: "lead", deal: "opportunity" } as const)[kind as "person"];
  if (object === undefined || names.length === 0) return {};
  const all = await account.fields(object);
  const pairs = names.map((name) => {
    const bare = name.replace(/^custom\./, "").toLowerCase();
    const field = all.find((one) => one.id.toLowerCase() === bare || one.name.toLowerCase() === bare);
    return [name, shown(fields[field === undefined ? name : `custom.${field.id}`])] as const;
  });
  return Object.fromEntries(pairs);
}
