/** Contacts: found by address or created, never overwritten. HubSpot itself keeps addresses single, secondary ones included. */
import type { Ref } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { PersonStep } from "../../model/step.ts";
import type { Account } from "./account.ts";
import { recordSchema, shaped } from "./api.ts";
import { contactBody, shownProperties } from "./bodies.ts";
import { existingId, isConflict, reasonOf } from "./classify.ts";
import { permanent, type Records } from "./records.ts";

export async function findPerson(email: string, records: Records): Promise<Ref | undefined> {
  const address = email.toLowerCase();
  const properties = shownProperties.contacts.join(",");
  const record = await records.get("contacts", address, { idProperty: "email", properties });
  if (record === undefined || record.archived === true) return undefined;
  const its = [record.properties.email, ...(record.properties.hs_additional_emails ?? "").split(";")];
  const same = its.some((candidate) => candidate?.trim().toLowerCase() === address);
  // HubSpot's word on whose address it is counts; that it reads differently is worth a line in the story.
  return await records.refOf(
    "contacts",
    record.id,
    true,
    same ? undefined : "HubSpot files this address under a contact with another one",
  );
}

export async function putPerson(
  step: PersonStep,
  records: Records,
  account: Account,
  owner: string | undefined,
): Promise<Ref> {
  if (!step.create) {
    const found = await findPerson(step.email, records);
    if (found === undefined) throw permanent("HubSpot has no such contact, and this step may not create one");
    return found;
  }
  const has = await account.has("contacts");
  const answer = await records.create("contacts", contactBody(step, has, owner));
  if (!isConflict(answer)) return await records.refOf("contacts", shaped(recordSchema, answer, true).id, false);
  const id = existingId(answer);
  if (id !== undefined) return await records.refOf("contacts", id, true);
  const found = await findPerson(step.email, records);
  if (found !== undefined) return found;
  throw new Refused({ kind: "ambiguous", reason: `${reasonOf(answer)}; but no contact with this address can be read` });
}
