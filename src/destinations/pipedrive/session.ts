/** One Pipedrive company at work: hands each step to what knows its kind. */
import type { Dedupe, DestinationPorts, Ref, Refs, Session } from "../../model/destination.ts";
import type { Step } from "../../model/step.ts";
import { known, permanent } from "../shared/calls.ts";
import { type AccountSettings, openAccount } from "./account.ts";
import { findActivity, putActivity } from "./activities.ts";
import { openApi } from "./api.ts";
import { findCompany, putCompany } from "./companies.ts";
import { findDeal, putDeal } from "./deals.ts";
import { check, fix } from "./doctor.ts";
import { openFiles } from "./files.ts";
import { openLinks } from "./links.ts";
import { openFresh, openRecent, openTries } from "./lists.ts";
import { findKnown, putPerson } from "./people.ts";
import { openRecords, recordObjectOf } from "./records.ts";
import { openSnapshots } from "./snapshots.ts";
import { openWishes } from "./wishes.ts";

export interface SessionSettings extends AccountSettings {
  readonly owner_id?: number | undefined;
  readonly search_lag_ms: number;
  readonly late_commit_ms: number;
  readonly reserve_tokens: number;
}

/** A list that shows every write at once can prove that there is nothing. */
export const dedupeOf = (kind: Step["kind"]): Dedupe => {
  switch (kind) {
    case "person":
    case "company":
    case "deal":
      return { tier: "key-readback", absenceProvable: true };
    case "activity":
      return { tier: "marker-readback", absenceProvable: true };
    case "file":
    case "link":
    case "unlink":
    case "archive":
    case "event_copy":
      // They say how things shall be: repeating them changes nothing.
      return { tier: "unique-key", absenceProvable: true };
    default:
      return kind satisfies never;
  }
};

export function openSession(settings: SessionSettings, { wire, clock, metrics }: DestinationPorts): Session {
  const api = openApi({ wire, clock, metrics, reserve: settings.reserve_tokens });
  const account = openAccount(api, settings);
  const records = openRecords(api, account);
  const times = { searchLagMs: settings.search_lag_ms, lateCommitMs: settings.late_commit_ms };
  const ports = {
    api,
    account,
    records,
    recent: openRecent(api, clock, times),
    tries: openTries(clock, times),
    fresh: openFresh(),
    wishes: openWishes(api, account, clock),
    owner: settings.owner_id,
    type: settings.activity_type,
  };
  const files = openFiles(records);
  const links = openLinks(records);

  async function find(step: Step, refs: Refs): Promise<Ref | undefined> {
    switch (step.kind) {
      case "person":
        return await findKnown(step, ports);
      case "company":
        return await findCompany(step, refs, ports);
      case "deal":
        return await findDeal(step, refs, ports);
      case "activity":
        return await findActivity(step, refs, ports);
      case "file":
        return await files.find(step, refs);
      case "link":
      case "unlink":
      case "archive":
      case "event_copy":
        return undefined;
      default:
        return step satisfies never;
    }
  }

  async function put(step: Step, refs: Refs): Promise<Ref> {
    switch (step.kind) {
      case "person":
        return await putPerson(step, ports);
      case "company":
        return await putCompany(step, ports);
      case "deal":
        return await putDeal(step, refs, ports);
      case "activity":
        return await putActivity(step, refs, ports);
      case "file":
        return await files.put(step, refs);
      case "link":
        return await links.move(known(refs, step.from), known(refs, step.to));
      case "unlink":
        await links.unlink(known(refs, step.from), known(refs, step.to));
        return { id: known(refs, step.from).id };
      case "archive": {
        const target = known(refs, step.target);
        await records.remove(recordObjectOf(target.kind), target.id);
        return { id: target.id };
      }
      case "event_copy":
        throw permanent("Pipedrive has no place for a copy of the event; send copies to a destination made for events");
      default:
        return step satisfies never;
    }
  }

  return {
    check: async () => await check(api, account, settings.activity_type),
    account: async () => `pipedrive:${(await account.company()).id}`,
    async fix() {
      account.forget();
      return await fix(api, account);
    },
    dedupe: async (kind) => dedupeOf(kind),
    find,
    put,
    read: openSnapshots(api, account, records),
    link: links.link,
    unlink: links.unlink,
    archive: async (kind, id) => await records.remove(recordObjectOf(kind), id),
  };
}
