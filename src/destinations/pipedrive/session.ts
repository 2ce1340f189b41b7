/** One Pipedrive company at work: hands each step to what knows its kind. */
import type { Dedupe, DestinationPorts, Session } from "../../model/destination.ts";
import type { Step, StepKind } from "../../model/step.ts";
import { openHands } from "../shared/hands.ts";
import { type Account, type AccountSettings, openAccount } from "./account.ts";
import { findActivity, putActivity } from "./activities.ts";
import { openApi } from "./api.ts";
import { type AuthSettings, authorized } from "./auth.ts";
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

export interface SessionSettings extends AccountSettings, AuthSettings {
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

export function openSession(settings: SessionSettings, destination: DestinationPorts): Session {
  const { clock, metrics } = destination;
  const wire = authorized(settings, destination);
  const areGone = (codes: readonly string[]): Promise<boolean> => account.areGone(codes);
  const api = openApi({ wire, clock, metrics, reserve: settings.reserve_tokens, areGone });
  const account: Account = openAccount(api, settings, clock);
  const records = openRecords(api, account);
  const times = { searchLagMs: settings.search_lag_ms, lateCommitMs: settings.late_commit_ms };
  const ports = {
    api,
    account,
    records,
    recent: openRecent(api, times),
    tries: openTries(clock, times),
    fresh: openFresh(),
    wishes: openWishes(api, account, clock),
    owner: settings.owner_id,
    type: settings.activity_type,
  };
  const files = openFiles(records);
  const links = openLinks(records);

  const archive = async (kind: StepKind, id: string): Promise<void> => await records.remove(recordObjectOf(kind), id);
  const { find, put } = openHands({
    vendor: "Pipedrive",
    person: { find: (step, _refs, asked) => findKnown(step, ports, asked), put: (step) => putPerson(step, ports) },
    company: {
      find: (step, refs, asked) => findCompany(step, refs, ports, asked),
      put: (step) => putCompany(step, ports),
    },
    deal: {
      find: (step, refs, asked) => findDeal(step, refs, ports, asked),
      put: (step, refs) => putDeal(step, refs, ports),
    },
    activity: {
      find: (step, refs, asked) => findActivity(step, refs, ports, asked),
      put: (step, refs) => putActivity(step, refs, ports),
    },
    file: files,
    link: links.move,
    unlink: links.unlink,
    archive,
  });

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
    archive,
  };
}
