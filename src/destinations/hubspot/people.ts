/** Contacts: found by address or created, never overwritten. HubSpot itself keeps addresses single, secondary ones included. */
import type { Ref } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { PersonStep } from "../../model/step.ts";
import { permanent } from "../shared/calls.ts";
import type { Account } from "./account.ts";
import { recordSchema, shaped } from "./api.ts";
import { type CreateBody, contactBody, ownProperties } from "./bodies.ts";
import { existingId, isConflict, reasonOf } from "./classify.ts";
import { addressesOf, type Records } from "./records.ts";
import type { Wishes } from "./wishes.ts";

/** `key`: of the step that asks, which a contact carries that it made. */
export async function findPerson(email: string, key: string, records: Records): Promise<Ref | undefined> {
  const address = email.toLowerCase();
  const record = await records.byEmail(address);
  if (record === undefined || record.archived === true) return undefined;
  const same = addressesOf(record).includes(address);
  // HubSpot's word on whose address it is counts; that it reads differently is worth a line in the story.
  const note = same ? undefined : "HubSpot files this address under a contact with another one";
  const ref = await records.refOf("contacts", record.id, true, note);
  return { ...ref, ours: record.properties[ownProperties.key] === key };
}

/** By the mail's own address, then by the others that the mapping knows of the same person. */
export async function findKnown({ email, key, also = [] }: PersonStep, records: Records): Promise<Ref | undefined> {
  const own = await findPerson(email, key, records);
  if (own !== undefined) return own;
  for (const other of also) {
    const found = await findPerson(other, key, records);
    if (found !== undefined) return { ...found, note: "known under another address of the same person" };
  }
  return undefined;
}

export interface PeoplePorts {
  readonly records: Records;
  readonly account: Account;
  readonly wishes: Wishes;
  readonly owner: string | undefined;
}

export async function putPerson(step: PersonStep, { records, account, wishes, owner }: PeoplePorts): Promise<Ref> {
  // HubSpot keeps one address single by itself; that two are one person only the mapping knows.
  const known = !step.create || (step.also ?? []).length > 0 ? await findKnown(step, records) : undefined;
  if (known !== undefined) return known;
  if (!step.create) throw permanent("HubSpot has no such contact, and this step may not create one");
  const { body, note } = await bodyOfPerson(step, { account, wishes, owner });
  const answer = await records.create("contacts", body);
  if (!isConflict(answer)) return await records.refOf("contacts", shaped(recordSchema, answer, true).id, false, note);
  const id = existingId(answer);
  if (id !== undefined) return await records.refOf("contacts", id, true);
  const found = await findPerson(step.email, step.key, records);
  if (found !== undefined) return found;
  throw new Refused({ kind: "ambiguous", reason: `${reasonOf(answer)}; but no contact with this address can be read` });
}

export async function bodyOfPerson(
  step: PersonStep,
  { account, wishes, owner }: Omit<PeoplePorts, "records">,
): Promise<{ body: CreateBody; note: string | undefined }> {
  const has = await account.has("contacts");
  const granted = await wishes.of("contacts", step);
  const lead = step.as === "lead" ? await wishes.lead() : {};
  const properties = { ...lead, ...granted.properties };
  return {
    body: contactBody(step, has, { properties, owner: granted.owner ?? owner }),
    note: notesOf(granted.note, lead),
  };
}

const notesOf = (note: string | undefined, lead: object | undefined): string | undefined =>
  lead !== undefined ? note : [note, "HubSpot has no lifecycle stage lead that may be set"].filter(Boolean).join("; ");
