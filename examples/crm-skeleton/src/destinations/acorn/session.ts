/** One Acorn account at work. Acorn keeps our key single for every kind of record, so that a create may be repeated: "taken" is success. */
import type { Dedupe, DestinationPorts, Ref, Refs, Session, Snapshot } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { ActivityStep, CompanyStep, DealStep, PersonStep, StepKind } from "../../model/step.ts";
import { bodyOf } from "../shared/body.ts";
import { known, openCalls, permanent } from "../shared/calls.ts";
import { openHands } from "../shared/hands.ts";
import { markerOf, maxBodyChars, shortLine, subjectOf } from "../shared/text.ts";
import {
  type AcornRecord,
  accountSchema,
  classify,
  isUnclassified,
  listSchema,
  type ObjectName,
  paths,
  recordSchema,
  takenSchema,
} from "./api.ts";

const single: Dedupe = { tier: "unique-key", absenceProvable: true };
export const dedupes: Partial<Record<StepKind, Dedupe>> = {
  person: single,
  company: single,
  deal: single,
  activity: single,
};

const objects: Partial<Record<StepKind, ObjectName>> = {
  person: "people",
  company: "companies",
  deal: "deals",
  activity: "mails",
};

interface End {
  readonly kind: StepKind;
  readonly id: string;
}

export function openSession(_settings: object, { wire, clock, metrics }: DestinationPorts): Session {
  const { call, shaped } = openCalls({ vendor: "Acorn", wire, clock, metrics, classify, isUnclassified });

  async function account(): Promise<string> {
    const answer = await call({ method: "GET", path: paths.account, object: "account" }, false);
    return `acorn:${shaped(accountSchema, answer, false).id}`;
  }

  /** The live record that has this value. Never creates. */
  async function look(object: ObjectName, field: "key" | "email", value: string): Promise<Ref | undefined> {
    const answer = await call({ method: "GET", path: paths.by(object, field, value), object }, false);
    const [found] = shaped(listSchema, answer, false).items.filter(({ archived }) => !archived);
    return found === undefined ? undefined : { id: found.id, adopted: true };
  }

  /** Makes it, or adopts the one that is there: nothing of that one is changed. */
  async function make(object: ObjectName, body: object): Promise<Ref> {
    const request = { method: "POST", path: paths.all(object), object, body } as const;
    const answer = await call(request, true, ({ status }) => status === 409);
    if (answer.status === 409) return { id: shaped(takenSchema, answer, true).id, adopted: true };
    return { id: shaped(recordSchema, answer, true).id, adopted: false };
  }

  async function record(object: ObjectName, id: string): Promise<AcornRecord | undefined> {
    const answer = await call({ method: "GET", path: paths.record(object, id), object }, false);
    return answer.status === 404 ? undefined : shaped(recordSchema, answer, false);
  }

  const findPerson = ({ email }: PersonStep) => look("people", "email", email.toLowerCase());

  async function member(method: "PUT" | "DELETE", from: End, to: End): Promise<void> {
    if (from.kind !== "activity" || to.kind !== "person")
      throw permanent("Acorn puts mails on people, and joins nothing else after it was made");
    await call({ method, path: paths.member(from.id, to.id), object: "mails" }, true);
  }

  async function archive(kind: StepKind, id: string): Promise<void> {
    const object = objects[kind];
    if (object === undefined) throw permanent(`a step of kind ${kind} leaves no record at Acorn`);
    await call({ method: "DELETE", path: paths.record(object, id), object }, true, ({ status }) => status === 404);
  }

  const hands = openHands({
    vendor: "Acorn",
    person: {
      find: findPerson,
      async put(step) {
        if (step.create) return await make("people", personBody(step));
        const there = await findPerson(step);
        if (there === undefined) throw permanent("Acorn has no such person, and this step may not create one");
        return there;
      },
    },
    company: {
      find: ({ key }) => look("companies", "key", key),
      put: (step: CompanyStep) => make("companies", { key: step.key, name: shortLine(step.name), domain: step.domain }),
    },
    deal: {
      find: ({ key }) => look("deals", "key", key),
      put: (step: DealStep, refs) =>
        make("deals", { key: step.key, name: shortLine(step.name), stage: step.stage, ...about(step.about, refs) }),
    },
    activity: {
      find: ({ key }) => look("mails", "key", key),
      async put(step, refs) {
        const { note, ...body } = mailBody(step);
        const ref = await make("mails", { ...body, ...about(step.about, refs) });
        return note === undefined ? ref : { ...ref, note };
      },
    },
    file: "Acorn cannot change a logged mail: its list of files stays as it was",
    async link(from, to) {
      await member("PUT", from, to);
      return { id: from.id };
    },
    unlink: (from, to) => member("DELETE", from, to),
    archive,
  });

  return {
    ...hands,
    async check() {
      try {
        return { account: await account(), findings: [{ level: "ok", what: "Acorn takes the token" }] };
      } catch (error) {
        // Weather (a 429, a time-out) is thrown; what a person has to mend is a finding.
        if (!(error instanceof Refused) || error.failure.kind !== "blocked") throw error;
        return { account: undefined, findings: [{ level: "problem", what: error.failure.reason }] };
      }
    },
    account,
    dedupe: async () => single,
    async read(kind, id): Promise<Snapshot | undefined> {
      const object = objects[kind];
      const found = object === undefined ? undefined : await record(object, id);
      if (found === undefined) return undefined;
      const { name = null, email = null, stage = null, subject = null } = found;
      const links = [
        ...found.person_ids.map((one) => `person:${one}`),
        ...(found.company_id == null ? [] : [`company:${found.company_id}`]),
      ];
      return { id: found.id, archived: found.archived, fields: { name, email, stage, subject }, links };
    },
    link: (from, to) => member("PUT", from, to),
    unlink: (from, to) => member("DELETE", from, to),
    archive,
  };
}

const personBody = ({ key, email, name }: PersonStep) => ({
  key,
  email: email.toLowerCase(),
  name: shortLine(name ?? ""),
});

/** The ids of the records that a step belongs to; Refused (permanent) where an earlier step left none. */
function about(keys: readonly string[], refs: Refs): { person_ids: string[]; company_id?: string } {
  const found = keys.map((key) => known(refs, key));
  const company = found.find(({ kind }) => kind === "company");
  return {
    person_ids: found.filter(({ kind }) => kind === "person").map(({ id }) => id),
    ...(company === undefined ? {} : { company_id: company.id }),
  };
}

function mailBody(step: ActivityStep) {
  const { text, html, note } = bodyOf(step, maxBodyChars, markerOf(step.key), true);
  return {
    key: step.key,
    subject: subjectOf(step.subject),
    direction: step.direction,
    at: new Date(step.at).toISOString(),
    text,
    ...(html === null ? {} : { html }),
    note,
  };
}
