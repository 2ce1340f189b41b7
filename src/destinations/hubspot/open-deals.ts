/** Which of a contact's open deals a mail is logged on: asked of HubSpot when the mail is made, by the list that does not lag as its search does. */
import type { Refs } from "../../model/destination.ts";
import { openDealCounts } from "../../model/open-deals.ts";
import type { ActivityStep } from "../../model/step.ts";
import { known } from "../shared/calls.ts";
import type { ReadBack } from "./readback.ts";
import { recordObjectOf } from "./records.ts";
import type { Wishes } from "./wishes.ts";

interface OpenDealsPorts {
  readonly readBack: ReadBack;
  readonly wishes: Wishes;
}

/** Ids, the newest first: "the five most recent", as HubSpot associates mail that is logged by BCC. */
export async function openDealsOf(
  { deals, about }: ActivityStep,
  refs: Refs,
  { readBack, wishes }: OpenDealsPorts,
): Promise<string[]> {
  const person = about.map((key) => known(refs, key)).find(({ kind }) => kind === "person");
  if (deals === undefined || person === undefined) return [];
  const owner = { object: recordObjectOf(person.kind), id: person.id };
  const all = await readBack.associated(owner, "deals", ["pipeline", "dealstage"]);
  const open: { id: string; at: number }[] = [];
  for (const { id, archived, properties, createdAt } of all) {
    if (archived === true || (await wishes.isClosed(properties.pipeline, properties.dealstage))) continue;
    open.push({ id, at: Date.parse(createdAt ?? "") || 0 });
  }
  // Ids grow; they decide between two of one moment, and longer ones are larger than a double is exact.
  open.sort((a, b) => b.at - a.at || b.id.length - a.id.length || (b.id < a.id ? -1 : 1));
  return open.slice(0, openDealCounts[deals]).map(({ id }) => id);
}
