/** One Close organization at work: hands each step to what knows its kind. */
import type { Dedupe, DestinationPorts, KnownRef, Ref, Refs, Session } from "../../model/destination.ts";
import type { Step, StepKind } from "../../model/step.ts";
import { permanent } from "../shared/calls.ts";
import { openHands } from "../shared/hands.ts";
import { openAccount } from "./account.ts";
import { openApi, paths } from "./api.ts";
import { openCompanies } from "./companies.ts";
import { openDeals } from "./deals.ts";
import { check, fix } from "./doctor.ts";
import { openEmails } from "./emails.ts";
import { openPeople } from "./people.ts";
import { openPlaces } from "./places.ts";
import { openReading } from "./reading.ts";
import { openWishes } from "./wishes.ts";

export interface SessionSettings {
  readonly organization_id?: string | undefined;
  readonly user_id?: string | undefined;
  readonly html: boolean;
}

/** Links say how things shall be, and lists of files never come here. */
const harmless: Dedupe = { tier: "unique-key", absenceProvable: true };

export const dedupes: Partial<Record<StepKind, Dedupe>> = {
  // Only the search finds an address or a company, and it lags: what it does not show may be there.
  person: { tier: "key-readback", absenceProvable: false },
  company: { tier: "key-readback", absenceProvable: false },
  deal: { tier: "key-readback", absenceProvable: true },
  activity: { tier: "marker-readback", absenceProvable: true },
};

const unlinked =
  "Close keeps a contact, an opportunity and a logged e-mail on the lead where they were made: move it there by hand";
const linkedElsewhere = "at Close it stands on another lead, and can stand on one only";

type End = Pick<KnownRef, "kind" | "id">;

export function openSession(settings: SessionSettings, { wire, clock, metrics }: DestinationPorts): Session {
  const api = openApi({ wire, clock, metrics });
  const account = openAccount(api, settings.organization_id, clock);
  const wishes = openWishes(api, account, clock);
  const places = openPlaces(api, clock);
  const companies = openCompanies({ api, account, wishes, places, clock });
  const people = openPeople({ api, account, wishes, places, companies });
  const user = settings.user_id;
  const deals = openDeals({ api, account, wishes, places, user });
  const emails = openEmails({ api, places, wishes, user, html: settings.html });
  const reading = openReading(api, account, places);

  const hands = openHands({
    vendor: "Close",
    person: people,
    company: companies,
    deal: deals,
    activity: emails,
    file: "Close cannot change a logged e-mail: its list of files stays as it was",
    async link(from, to) {
      const together = await reading.together(from, to);
      return { id: from.id, adopted: true, ...(together ? {} : { note: linkedElsewhere }) };
    },
    async unlink() {
      throw permanent(unlinked);
    },
    archive,
  });

  async function put(step: Step, refs: Refs): Promise<Ref> {
    // The organization, and whether it is the configured one, is known before anything is written.
    await account.organization();
    return await account.guarded(() => hands.put(step, refs));
  }

  async function archive(kind: StepKind, id: string): Promise<void> {
    const path = deletable(kind, id);
    await api.call({ method: "DELETE", path, object: kind }, true, ({ status }) => status === 404);
  }

  return {
    check: async () => await check(api, account),
    account: async () => `close:${await account.organization()}`,
    fix: async () => await fix(api, account),
    dedupe: async (kind) => dedupes[kind] ?? harmless,
    find: hands.find,
    put,
    read: reading.read,
    async link(from: End, to: End) {
      if (!(await reading.together(from, to))) throw permanent(linkedElsewhere);
    },
    async unlink() {
      throw permanent(unlinked);
    },
    archive,
  };
}

/** Close has no archive: what is taken away is deleted. */
function deletable(kind: StepKind, id: string): string {
  switch (kind) {
    case "person":
      return paths.contact(id);
    case "deal":
      return paths.opportunity(id);
    case "activity":
      return paths.email(id);
    case "company":
      throw permanent(
        "to delete a lead at Close deletes everything on it, its people and their mail: Mailwright does not",
      );
    case "file":
    case "link":
    case "unlink":
    case "archive":
    case "event_copy":
      throw permanent(`a step of kind ${kind} leaves no record at Close`);
    default:
      return kind satisfies never;
  }
}
