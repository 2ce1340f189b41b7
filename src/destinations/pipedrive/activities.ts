/** Logged mails: an activity of the company's e-mail type, done, known by the marker in its public description. */
import type { Asked, Ref, Refs } from "../../model/destination.ts";
import { openDealCounts, openDealsNote } from "../../model/open-deals.ts";
import type { ActivityStep } from "../../model/step.ts";
import { permanent, together } from "../shared/calls.ts";
import { asks, type PipedriveRecord, pageSchema, type Query, stamp } from "./api.ts";
import { activityBody, cutOf } from "./bodies.ts";
import { allOf, dateSlackMs, oldest } from "./lists.ts";
import { isMarked, maxNoteChars, noteOf } from "./note.ts";
import type { PeoplePorts } from "./people.ts";
import { type Placed, placesOf } from "./records.ts";

export interface ActivityPorts extends PeoplePorts {
  /** The key_string of the activity type. */
  readonly type: string;
}

/** The list that shows it: of its first person, since others may not be listed. Of everything where it hangs on nothing. */
function listOf({ persons: [person], organization, deal }: Placed): Query {
  if (person !== undefined) return { person_id: String(person) };
  if (deal !== undefined) return { deal_id: String(deal) };
  return organization === undefined ? {} : { org_id: String(organization) };
}

export async function findActivity(
  step: ActivityStep,
  refs: Refs,
  ports: ActivityPorts,
  asked?: Asked,
): Promise<Ref | undefined> {
  const { api, records, tries, fresh } = ports;
  const query = listOf(placesOf("activity", step.about, refs));
  // What the ledger knows of outlives this session's memory, and the clock that it goes by.
  if (asked?.sent !== true) {
    if (!tries.mayBeThere(step.key, step.at)) return undefined;
    if (query.person_id !== undefined && fresh.isEmpty("activities", query.person_id)) return undefined;
  }
  // Nothing is logged before it is written, and nothing changes before it is there.
  const since = stamp(step.at - dateSlackMs);
  const all = await allOf(api, "activities", { ...query, updated_since: since });
  const found = oldest(all.filter(({ public_description }) => isMarked(public_description, step.key)));
  return found === undefined ? undefined : await records.refOf("activities", String(found.id), true);
}

export async function putActivity(step: ActivityStep, refs: Refs, ports: ActivityPorts): Promise<Ref> {
  const { records, tries, fresh, wishes, account, owner } = ports;
  const asked = placesOf("activity", step.about, refs);
  const open = asked.deal === undefined ? await openDealOf(step, asked, ports) : undefined;
  const places = { ...asked, deal: asked.deal ?? open };
  const granted = await wishes.of("activities", step);
  await account.company();
  const wanted = { custom: {}, owner: granted.owner ?? owner };
  tries.begin(step.key);
  for (const person of places.persons) fresh.touched("activities", String(person));
  let cut: string | undefined;
  let made: PipedriveRecord | undefined;
  for (const limit of [maxNoteChars, maxNoteChars / 2]) {
    const note = noteOf(step, limit);
    cut = note.cut;
    made = await records.create("activities", activityBody(step, ports.type, note, places, wanted));
    if (made !== undefined) break;
  }
  if (made === undefined) throw permanent("Pipedrive calls the mail too long, also with half the text");
  const logged = open === undefined ? undefined : openDealsNote([String(open)]);
  const note = together(cut, cutOf("subject", step.subject), granted.note, ...places.left, logged);
  return await records.refOf("activities", String(made.id), false, note);
}

/** The newest: an activity has room for one deal, so that "the five most recent" are one here, too. */
async function openDealOf(
  { deals }: ActivityStep,
  { persons: [person] }: Placed,
  { api }: ActivityPorts,
): Promise<number | undefined> {
  if (deals === undefined || openDealCounts[deals] < 1 || person === undefined) return undefined;
  const query = { person_id: String(person), status: "open", sort_by: "add_time", sort_direction: "desc", limit: "20" };
  const answer = await api.call(asks.list("deals", query), false);
  const open = (api.shaped(pageSchema, answer, false).data ?? []).filter(
    ({ is_deleted, status }) => is_deleted !== true && status === "open",
  );
  // Times are in seconds; ids decide between two of one.
  open.sort((a, b) => Date.parse(b.add_time ?? "") - Date.parse(a.add_time ?? "") || b.id - a.id);
  return open[0]?.id;
}
