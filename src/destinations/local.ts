/** `type: local`: the built-in CRM. Contacts, companies, deals and activities in the data folder, unique by key, with no account anywhere. */
import { z } from "zod";
import type {
  Dedupe,
  Destination,
  DestinationPorts,
  Facts,
  KnownRef,
  Ref,
  Refs,
  Session,
} from "../model/destination.ts";
import { openDealCounts, openDealsNote } from "../model/open-deals.ts";
import { Refused } from "../model/outcome.ts";
import type { LocalRecord, RecordKind } from "../model/records.ts";
import type { ActivityStep, FileStep, Step, StepKind } from "../model/step.ts";

const settings = z
  .strictObject({})
  .describe("The built-in CRM, kept in the data folder. It needs no account and no settings.");
type Settings = z.infer<typeof settings>;

/** Longer bodies are cut: a record is for reading, and the whole mail is kept beside it. */
const maxBodyChars = 500_000;
const unique: Dedupe = { tier: "unique-key", absenceProvable: true };

const facts: Facts = {
  vendor: "local",
  docs: "docs/crm/local.md",
  checked: "2026-11-24",
  apiVersion: "1",
  limits: [],
  maxBodyBytes: maxBodyChars,
  dedupe: { person: unique, company: unique, deal: unique, activity: unique, file: unique, event_copy: unique },
  searchLagMs: 0,
  lateCommitMs: 0,
  can: {
    moveActivity: true,
    archive: true,
    linkForeignActivity: true,
    changeActivity: true,
    severalPeople: true,
    activityDeals: "several",
  },
  width: 8,
};

export const local: Destination<Settings> = {
  name: "local",
  facts,
  settings,
  classify: () => undefined,
  reach: () => undefined,
  open: (_settings, ports) => openSession(ports),
};

/** Where a record of a step is kept, and under which natural key besides ours. */
function placeOf(step: Step): { kind: RecordKind; natural: string | null } | undefined {
  switch (step.kind) {
    case "person":
      return { kind: "contact", natural: step.email.toLowerCase() };
    case "company":
      return { kind: "company", natural: step.domain.toLowerCase() };
    case "deal":
      return { kind: "deal", natural: null };
    case "activity":
    case "event_copy":
      return { kind: "activity", natural: null };
    case "file":
    case "link":
    case "unlink":
    case "archive":
      return undefined;
    default:
      return step satisfies never;
  }
}

function fieldsOf(step: Step): { fields: Record<string, unknown>; note?: string } {
  switch (step.kind) {
    case "person":
      return {
        fields: {
          email: step.email,
          name: step.name,
          source: step.source,
          flags: step.flags,
          ...(step.as === "lead" ? { lifecycle: "lead" } : {}),
          ...wanted(step),
        },
      };
    case "company":
      return { fields: { domain: step.domain, name: step.name, ...wanted(step) } };
    case "deal":
      return { fields: { name: step.name, pipeline: step.pipeline, stage: step.stage, ...wanted(step) } };
    case "activity":
      return activityFields(step);
    case "event_copy":
      return { fields: { type: "event", event: step.event } };
    case "file":
    case "link":
    case "unlink":
    case "archive":
      return { fields: {} };
    default:
      return step satisfies never;
  }
}

/** Under names of their own, so that no mapping can stand in for what the mail says. */
const wanted = ({ owner, fields }: Pick<ActivityStep, "owner" | "fields">): Record<string, unknown> => ({
  ...(owner == null ? {} : { owner }),
  ...(fields === undefined ? {} : { fields }),
});

function activityFields(step: ActivityStep): { fields: Record<string, unknown>; note?: string } {
  const { direction, at, subject, from, to, cc, forwarded_by, headers, message_id, event_id, attachments, flags } =
    step;
  const { thread_id, mapping_version } = step;
  const text = cut(step.text);
  const html = step.html === null ? null : cut(step.html);
  const wasCut = text !== step.text || html !== step.html;
  const fields = {
    type: "email",
    direction,
    at,
    subject,
    text,
    html,
    from,
    to,
    cc,
    ...(forwarded_by == null ? {} : { forwarded_by }),
    headers,
    message_id,
    event_id,
    ...(thread_id === undefined ? {} : { thread_id }),
    ...(mapping_version === undefined ? {} : { mapping_version }),
    attachments,
    flags,
    ...wanted(step),
  };
  if (!wasCut) return { fields };
  const note = `body cut to ${maxBodyChars} characters; the whole text is kept as event ${event_id}`;
  return { fields: { ...fields, note }, note };
}

const cut = (text: string): string => (text.length <= maxBodyChars ? text : text.slice(0, maxBodyChars).toWellFormed());

const recordKinds: Partial<Record<StepKind, RecordKind>> = {
  person: "contact",
  company: "company",
  deal: "deal",
  activity: "activity",
  file: "activity",
  event_copy: "activity",
};

const stepKinds: Readonly<Record<RecordKind, StepKind>> = {
  contact: "person",
  company: "company",
  deal: "deal",
  activity: "activity",
};

function openSession({ records, clock, tenant }: DestinationPorts): Session {
  const refOf = (record: LocalRecord, adopted: boolean, note?: string): Ref => ({
    id: record.id,
    adopted,
    ...(note === undefined ? {} : { note }),
  });

  function findRecord(step: Step): LocalRecord | undefined {
    const place = placeOf(step);
    if (place === undefined) return undefined;
    const byKey = records.findByKey(tenant, place.kind, step.key);
    if (byKey !== undefined || place.natural === null) return byKey;
    const own = records.findByNatural(tenant, place.kind, place.natural);
    if (own !== undefined || step.kind !== "person") return own;
    return (step.also ?? [])
      .map((other) => records.findByNatural(tenant, place.kind, other.toLowerCase()))
      .find(Boolean);
  }

  function create(step: Step, place: { kind: RecordKind; natural: string | null }, links: readonly string[]): Ref {
    const { fields, note } = fieldsOf(step);
    const { record, created } = records.create({
      kind: place.kind,
      tenant,
      key: step.key,
      natural: place.natural,
      createdAt: clock.now(),
      fields,
      links,
    });
    if (!created) for (const target of links) records.link(record.id, target);
    return refOf(record, !created, note);
  }

  async function put(step: Step, refs: Refs): Promise<Ref> {
    const place = placeOf(step);
    if (place !== undefined) {
      if ("create" in step && !step.create) {
        const found = findRecord(step);
        if (found === undefined) throw permanent(`there is no such ${step.kind}, and this step may not create one`);
        return refOf(found, true);
      }
      const known = step.kind === "person" && (step.also ?? []).length > 0 ? findRecord(step) : undefined;
      if (known !== undefined) return refOf(known, true);
      const links = "about" in step ? step.about.map((key) => present(target(refs, key).id)) : [];
      // One that is there is not given others: somebody may have taken it off a deal since.
      const open = step.kind === "activity" && findRecord(step) === undefined ? openDeals(step, refs) : [];
      return withDeals(create(step, place, [...links, ...open]), open);
    }
    switch (step.kind) {
      case "file":
        return list(step, refs);
      case "link":
        records.link(present(target(refs, step.from).id), present(target(refs, step.to).id));
        return { id: target(refs, step.from).id };
      case "unlink":
        records.unlink(target(refs, step.from).id, target(refs, step.to).id);
        return { id: target(refs, step.from).id };
      case "archive":
        records.archive(present(target(refs, step.target).id));
        return { id: target(refs, step.target).id };
      default:
        throw permanent(`the local CRM keeps no record for a step of kind ${step.kind}`);
    }
  }

  /** The newest first, by when they were made here. */
  function openDeals({ deals, about }: ActivityStep, refs: Refs): string[] {
    const person = about.map((key) => target(refs, key)).find(({ kind }) => kind === "person");
    if (deals === undefined || person === undefined) return [];
    return (records.get(person.id)?.links ?? [])
      .flatMap((id) => records.get(id) ?? [])
      .filter(({ kind, archived, fields }) => kind === "deal" && !archived && !isClosed(fields.stage))
      .sort((a, b) => b.createdAt - a.createdAt || b.id.localeCompare(a.id, "en", { numeric: true }))
      .slice(0, openDealCounts[deals])
      .map(({ id }) => id);
  }

  /** Not made again, and not failed, where somebody archived the mail: then nobody reads its list. */
  function list({ activity, files }: FileStep, refs: Refs): Ref {
    const { id } = target(refs, activity);
    const record = records.get(id);
    if (record === undefined) return { id, adopted: true, note: "the mail is not in the local CRM any more" };
    const isThere = JSON.stringify(record.fields.attachments) === JSON.stringify(files);
    if (!isThere) records.amend(id, { attachments: files });
    return { id, adopted: isThere };
  }

  function present(id: string): string {
    if (records.get(id) === undefined) throw permanent(`the local CRM has no record ${id}`);
    return id;
  }

  return {
    check: async () => ({
      account: "local",
      findings: [{ level: "ok", what: "the local CRM is ready in the data folder" }],
    }),
    account: async () => `local:${records.id}`,
    dedupe: async () => unique,
    async find(step) {
      const found = findRecord(step);
      return found === undefined ? undefined : { ...refOf(found, true), ours: found.key === step.key };
    },
    put,
    async asMade(step) {
      return Object.fromEntries(Object.entries(fieldsOf(step).fields).map(([name, value]) => [name, shown(value)]));
    },
    async read(kind, id, whole) {
      const record = records.get(id);
      if (record === undefined || record.tenant !== tenant || record.kind !== recordKinds[kind]) return undefined;
      const fields = Object.entries(record.fields).map(([name, value]) => [name, shown(value)] as const);
      const links = record.links.flatMap((link) => {
        const other = records.get(link);
        return other === undefined || other.archived ? [] : [`${stepKinds[other.kind]}:${link}`];
      });
      const found = { id, archived: record.archived, fields: Object.fromEntries(fields) };
      return whole === undefined ? found : { ...found, links };
    },
    async link(from, to) {
      records.link(present(from.id), present(to.id));
    },
    async unlink(from, to) {
      records.unlink(from.id, to.id);
    },
    async archive(_kind, id) {
      records.archive(present(id));
    },
  };
}

function target(refs: Refs, key: string): KnownRef {
  const found = refs.get(key);
  if (found === undefined)
    throw permanent(`the step belongs to a record (key ${key.slice(0, 12)}) that no earlier step has left`);
  return found;
}

/** Stages are free text here: what is won or lost says so. */
const isClosed = (stage: unknown): boolean => typeof stage === "string" && /\b(closed|won\b|lost\b)/i.test(stage);

const withDeals = (ref: Ref, deals: readonly string[]): Ref =>
  deals.length === 0 ? ref : { ...ref, note: [ref.note, openDealsNote(deals)].filter(Boolean).join("; ") };

const permanent = (reason: string): Refused => new Refused({ kind: "permanent", reason });

function shown(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}
