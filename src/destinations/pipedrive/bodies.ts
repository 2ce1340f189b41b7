/** Builds the request bodies of Pipedrive records from steps. Pure; test/destinations holds them against the types of Pipedrive's own SDK. */
import type { ActivityStep, CompanyStep, DealStep, PersonStep } from "../../model/step.ts";
import { count, nameParts, shortLine, shortText, subjectOf } from "../shared/text.ts";
import type { Codes } from "./account.ts";
import type { Note, Own } from "./note.ts";
import { descriptionOf } from "./note.ts";

/** What a mapping wants on a new record, in this company's own keys and ids. */
export interface Wanted {
  readonly owner: number | undefined;
  readonly custom: Readonly<Record<string, unknown>>;
}

/** Names, titles, subjects and values of our fields: https://developers.pipedrive.com/docs/api/v1/PersonFields (varchar). */
export const maxShortChars = 255;

/** What was cut of it, for the story. */
export const cutOf = (what: string, text: string): string | undefined =>
  text.length <= maxShortChars ? undefined : `${what} cut to ${maxShortChars} of ${count(text.length)} characters`;

const ownedBy = (owner: number | undefined) => (owner === undefined ? {} : { owner_id: owner });

/** People whom nobody names are called by their address, since a name is required. */
export const personName = ({ name, email }: Pick<PersonStep, "name" | "email">): string => {
  const { first, last } = nameParts(name);
  return shortText([first, last].filter(Boolean).join(" ")) || shortText(email.toLowerCase());
};

export function personBody(step: PersonStep, { owner, custom }: Wanted, codes: Codes<"persons">) {
  const flags = step.flags.length === 0 ? {} : { [codes.flags]: shortText(step.flags.join(";")) };
  return {
    name: personName(step),
    emails: [{ value: step.email.toLowerCase(), primary: true, label: "work" }],
    ...ownedBy(owner),
    custom_fields: { ...custom, [codes.key]: step.key, [codes.source]: step.source, ...flags } as Record<
      string,
      unknown
    >,
  };
}

export function organizationBody(step: CompanyStep, { owner, custom }: Wanted, codes: Codes<"organizations">) {
  return {
    name: shortLine(step.name),
    ...ownedBy(owner),
    custom_fields: {
      ...custom,
      [codes.key]: step.key,
      [codes.domain]: shortText(step.domain.toLowerCase()),
    } as Record<string, unknown>,
  };
}

/** A deal and an activity have one organization each, and a deal one person. */
export interface Places {
  readonly persons: readonly number[];
  readonly organization: number | undefined;
  readonly deal: number | undefined;
}

export function dealBody(
  step: DealStep,
  { pipeline, stage }: { readonly pipeline: number; readonly stage: number },
  { persons: [person], organization }: Places,
  { owner, custom }: Wanted,
  codes: Codes<"deals">,
) {
  return {
    title: shortLine(step.name) || "(no subject)",
    pipeline_id: pipeline,
    stage_id: stage,
    ...(person === undefined ? {} : { person_id: person }),
    ...(organization === undefined ? {} : { org_id: organization }),
    ...ownedBy(owner),
    custom_fields: { ...custom, [codes.key]: step.key } as Record<string, unknown>,
  };
}

/** Times are in UTC. The person is set through the participants; the first of them is the one whose list shows it for sure. */
export function activityBody(
  step: ActivityStep,
  type: string,
  note: Note,
  { persons, organization, deal }: Places,
  { owner }: Wanted,
) {
  const at = new Date(step.at).toISOString();
  const own: Own = { deal: deal?.toString(), organization: organization?.toString() };
  return {
    subject: shortText(subjectOf(step.subject)) || "(no subject)",
    type,
    done: true,
    due_date: at.slice(0, 10),
    due_time: at.slice(11, 16),
    note: note.html,
    public_description: descriptionOf(step, own),
    participants: persons.map((person_id, index) => ({ person_id, primary: index === 0 })),
    ...(organization === undefined ? {} : { org_id: organization }),
    ...(deal === undefined ? {} : { deal_id: deal }),
    ...ownedBy(owner),
  };
}

export const leadBody = (title: string, person: number, owner: number | undefined) => ({
  title: shortText(title),
  person_id: person,
  ...ownedBy(owner),
});

export const noteBody = (note: string) => ({ note });
export const fieldBody = (name: string) => ({ field_name: name, field_type: "varchar" as const });
