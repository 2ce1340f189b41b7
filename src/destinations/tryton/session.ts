/** One Tryton database at work: hands each step to what knows its kind. */
import type { Dedupe, DestinationPorts, Session } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { StepKind } from "../../model/step.ts";
import { permanent } from "../shared/calls.ts";
import { openHands } from "../shared/hands.ts";
import { type AccountSettings, openAccount } from "./account.ts";
import { openApi } from "./api.ts";
import { openCompanies } from "./companies.ts";
import { openDeals } from "./deals.ts";
import { openDoctor } from "./doctor.ts";
import { openLinks } from "./links.ts";
import type { LoginSettings } from "./login.ts";
import { openNotes } from "./notes.ts";
import { openParties } from "./parties.ts";
import { openPeople } from "./people.ts";
import { openReading } from "./reading.ts";
import { openRecords } from "./records.ts";
import { openWishes } from "./wishes.ts";

export type SessionSettings = LoginSettings & AccountSettings;

/** Lists of files and associations say how things shall be: repeating them changes nothing. */
const harmless: Dedupe = { tier: "unique-key", absenceProvable: true };

export const dedupes: Partial<Record<StepKind, Dedupe>> = {
  person: { tier: "unique-key", absenceProvable: true },
  company: { tier: "unique-key", absenceProvable: true },
  deal: { tier: "key-readback", absenceProvable: true },
  activity: { tier: "marker-readback", absenceProvable: true },
};

export function openSession(settings: SessionSettings, ports: DestinationPorts): Session {
  const { clock } = ports;
  const api = openApi(settings, ports);
  const account = openAccount(api, settings, clock);
  const records = openRecords(api, account);
  const wishes = openWishes(api, account, clock);
  const parties = openParties(records);
  const deals = openDeals(records, account, wishes);
  const links = openLinks({ records, account, deals });
  const notes = openNotes(records, deals);
  const reading = openReading({ api, records, account, deals });
  const doctor = openDoctor(api, account, settings);

  const { find, put } = openHands({
    vendor: "Tryton",
    person: openPeople(records, parties, wishes),
    company: openCompanies({ records, parties, account, wishes }),
    deal: { find: deals.find, put: deals.put },
    activity: notes,
    file: notes.files,
    async link(from, to) {
      try {
        const note = await links.add(from, to);
        return note === undefined ? undefined : { id: from.id, adopted: true, note };
      } catch (error) {
        if (!(error instanceof Refused) || error.failure.kind !== "permanent") throw error;
        return { id: from.id, adopted: true, note: error.failure.reason };
      }
    },
    unlink: links.remove,
    archive,
  });

  async function archive(kind: StepKind, id: string): Promise<void> {
    switch (kind) {
      case "person":
      case "company":
        return await records.write("party.party", id, { active: false });
      case "deal":
        return await records.press("sale.opportunity", "cancel", id);
      case "activity":
        if ((await reading.read(kind, id)) !== undefined) await records.press("ir.note", "delete", id);
        return;
      case "file":
      case "link":
      case "unlink":
      case "archive":
      case "event_copy":
        throw permanent(`a step of kind ${kind} leaves no record at Tryton`);
      default:
        return kind satisfies never;
    }
  }

  return {
    check: doctor.check,
    account: account.name,
    fix: doctor.fix,
    dedupe: async (kind) => dedupes[kind] ?? harmless,
    find,
    put,
    read: reading.read,
    link: async (from, to) => void (await links.add(from, to)),
    unlink: links.remove,
    archive,
    close: api.logout,
  };
}
