/** Our own properties in a HubSpot account: which object needs which, how they are created, and how each one stands. */
import { type Api, type ObjectName, paths, propertySchema, shaped } from "./api.ts";
import { type OwnProperty, ownProperties } from "./bodies.ts";

/** `forbidden`: the token may not even look. */
export type Standing = "unique" | "plain" | "missing" | "forbidden";

export interface Need {
  readonly name: OwnProperty;
  readonly label: string;
  readonly description: string;
  readonly unique: boolean;
  readonly fieldType: "text" | "textarea";
}

const key: Need = {
  name: ownProperties.key,
  label: "Mailwright key",
  description: "Keeps a record single when Mailwright has to try again. Do not edit.",
  unique: true,
  fieldType: "text",
};
/** HubSpot keeps contacts single by their addresses; this only tells whose a contact is whose creation got no answer. */
const madeBy: Need = {
  ...key,
  description: "Tells Mailwright which contacts it made, for mailwright mapping undo. Do not edit.",
  unique: false,
};
const source: Need = {
  name: ownProperties.source,
  label: "Mailwright source",
  description: "How Mailwright came to make this contact: email.",
  unique: false,
  fieldType: "text",
};
const eventId: Need = {
  name: ownProperties.eventId,
  label: "Mailwright event",
  description: "The event that this mail is in Mailwright, for mailwright explain.",
  unique: false,
  fieldType: "text",
};
const headers: Need = {
  name: ownProperties.headers,
  label: "Mail headers",
  description: "The mail's headers as received, for audit.",
  unique: false,
  fieldType: "textarea",
};
const flags: Need = {
  name: ownProperties.flags,
  label: "Mailwright flags",
  description: "What Mailwright found worth knowing: how far the sender can be trusted, for one.",
  unique: false,
  fieldType: "text",
};

export const needs: Readonly<Record<ObjectName, readonly Need[]>> = {
  contacts: [madeBy, source, flags],
  companies: [key],
  deals: [key],
  emails: [key, eventId, headers, flags],
};
export const neededObjects = Object.keys(needs) as ObjectName[];

export const groupBody = { name: "mailwright", label: "Mailwright" } as const;

/** `hasUniqueValue` cannot be changed once the property is there. */
export function propertyBody({ name, label, description, fieldType }: Need, hasUniqueValue: boolean) {
  return {
    name,
    label,
    description,
    groupName: groupBody.name,
    type: "string",
    fieldType,
    hasUniqueValue,
    formField: false,
  } as const;
}

export async function standingOf(api: Api, object: ObjectName, need: Need): Promise<Standing> {
  const request = { method: "GET", path: paths.property(object, need.name), object: "property" } as const;
  const answer = await api.call(request, false, ({ status }) => status === 403);
  if (answer.status === 403) return "forbidden";
  if (answer.status === 404) return "missing";
  return shaped(propertySchema, answer, false).hasUniqueValue === true ? "unique" : "plain";
}
