/** Holds a world that has come to rest against every promise that was made. */

import { createIdentity } from "../../src/mail/identity.ts";
import type { DeliveryRow, EventRow } from "../../src/model/ledger.ts";
import type { LocalRecord } from "../../src/model/records.ts";
import { lanes } from "./daemon.ts";
import { filesVerdict } from "./files.ts";
import type { Mail, Tenant } from "./mails.ts";
import { ledgerVerdict } from "./verdict-ledger.ts";
import type { World } from "./world.ts";

/** An activity at one CRM, as far as the promises go. */
interface Logged {
  readonly id: string;
  readonly token: string;
  readonly text: string;
  readonly from: string | null;
  readonly contacts: number;
  /** Order of creation. */
  readonly order: number;
}

type Lane = string;

/** Which mail a row holds, by its digest: the same for every path the mail took. */
type TokenOf = (row: EventRow) => string | undefined;

function tokensOf(mails: readonly Mail[]): TokenOf {
  const tokens = new Map(
    mails.map(({ bytes, token }) => {
      const identity = createIdentity();
      identity.update(bytes);
      return [identity.finish().digest, token];
    }),
  );
  return ({ digest }) => tokens.get(digest);
}

export async function verdictOf(world: World): Promise<readonly string[]> {
  const wrong: string[] = [];
  const say = (what: string): void => {
    wrong.push(what);
  };
  const rows = await world.ledger.find({ limit: 10_000 });
  const tokenOf = tokensOf(world.mails);
  const logged = loggedByLane(world);
  noPhantoms(world, rows, tokenOf, logged, say);
  for (const [mail, told] of world.sent.acknowledged) {
    for (const tenant of told) {
      const row = rows.find((candidate) => candidate.tenant === tenant && tokenOf(candidate) === mail.token);
      if (row === undefined) say(`LOST: ${tenant} was told yes for ${mail.token}, and the ledger does not know it`);
      else keptPromise(world, mail, tenant, row, logged, say);
    }
  }
  for (const [lane, all] of logged) onceEach(world, lane, all, say);
  contactsOnce(world, say);
  namesStand(world, say);
  inOrder(world, rows, tokenOf, logged, say);
  await ledgerVerdict(world, rows, tokenOf, say);
  const filesOf = (row: EventRow) => world.mails.find(({ token }) => token === tokenOf(row))?.files;
  await filesVerdict(world, rows, filesOf, say);
  return wrong;
}

/** A message that was in hand at so many deaths may be read without its body. */
const mostDeaths = 5;

const tokenIn = (text: string | null | undefined): string => /tk\d+-[0-9a-f]{8}/.exec(text ?? "")?.[0] ?? "";

function loggedByLane({ records, vendor }: World): ReadonlyMap<Lane, readonly Logged[]> {
  const living = new Set(vendor.people().flatMap(({ id, gone }) => (gone ? [] : [id])));
  const atVendor = vendor.activities().map(({ id, subject, text, from, people }, order): Logged => {
    const contacts = livingOf(people, living);
    return { id, token: tokenIn(subject), text, from, contacts, order };
  });
  const local = (tenant: Tenant) => records.list("activity", { tenant, limit: 10_000 }).map(localLogged);
  return new Map([
    ["acme/hub", atVendor],
    ["acme/crm", local("acme")],
    ["globex/crm", local("globex")],
  ]);
}

/** A merge leaves the activity on both contacts, one of them deleted; a deletion leaves it on the deleted one. */
function livingOf(ids: readonly string[], living: ReadonlySet<string>): number {
  return Math.max(Math.min(ids.length, 1), ids.filter((id) => living.has(id)).length);
}

function localLogged({ id, fields, links }: LocalRecord): Logged {
  const { subject, text, from } = fields as { subject: string; text: string; from: { email: string } | null };
  const order = Number(id.split("-")[1]);
  return { id, token: tokenIn(subject), text, from: from?.email ?? null, contacts: links.length, order };
}

/** Nothing is at a CRM, or in the ledger, that was not handed in whole. */
function noPhantoms(
  world: World,
  rows: readonly EventRow[],
  tokenOf: TokenOf,
  logged: ReadonlyMap<Lane, readonly Logged[]>,
  say: (what: string) => void,
): void {
  const offered = new Set([...world.sent.offered].map(({ token }) => token));
  for (const [lane, all] of logged)
    for (const { id, token } of all)
      if (!offered.has(token)) say(`PHANTOM: ${lane} has ${id} of ${token}, which was never sent whole`);
  for (const row of rows)
    if (!offered.has(tokenOf(row) ?? ""))
      say(`PHANTOM: the ledger holds ${row.eventId}, which is no mail that was sent whole`);
}

/** An acknowledged mail is one activity at each CRM of its tenant, or one thing that a person can see. */
function keptPromise(
  world: World,
  mail: Mail,
  tenant: Tenant,
  row: EventRow,
  logged: ReadonlyMap<Lane, readonly Logged[]>,
  say: (what: string) => void,
): void {
  for (const lane of lanes[tenant]) {
    const delivery = row.deliveries.find((candidate) => candidate.lane === lane);
    if (delivery === undefined) {
      say(`LOST: ${mail.token} was never planned for ${lane}`);
      continue;
    }
    const found = (logged.get(lane) ?? []).filter(({ token }) => token === mail.token);
    const where = `${mail.token} (${mail.kind}) at ${lane}: ${delivery.state} ${delivery.reason ?? ""}`;
    switch (delivery.state) {
      case "processed":
        if (found.length !== 1) say(`${where}, with ${found.length} activities`);
        for (const activity of found) intact(world, mail, row, activity, where, say);
        break;
      case "pending":
        say(`${where} is still pending`);
        break;
      case "skipped":
        if (mail.kind !== "automated" || found.length > 0) say(`${where} was skipped (${delivery.rule})`);
        break;
      case "held":
        if (!mayBeHeld(world, mail, lane) || found.length > 0)
          say(`${where} is held (${delivery.rule}: ${delivery.detail})`);
        break;
      case "failed":
        justified(world, mail, lane, delivery, say);
        break;
      default:
        delivery.state satisfies never;
    }
  }
}

const mayBeHeld = ({ weather }: World, mail: Mail, lane: Lane): boolean =>
  mail.kind === "nameless" || (lane === "globex/crm" && !weather.globexMakesContacts);

function intact(
  world: World,
  mail: Mail,
  row: EventRow,
  activity: Logged,
  where: string,
  say: (what: string) => void,
): void {
  if (activity.from !== mail.from) say(`${where}: its sender is ${activity.from}, not ${mail.from}`);
  if (activity.contacts !== 1) say(`${where}: it belongs to ${activity.contacts} contacts`);
  const whole = activity.text.replace(/\n+$/, "").startsWith(mail.body);
  if (whole) return;
  const marked =
    activity.text.includes(row.eventId) || activity.text.startsWith("[The body of this mail could not be read");
  const may =
    mail.kind === "poison" || mail.kind === "killer" || world.witness.deathsAtParse(row.eventId) >= mostDeaths;
  if (!marked || !may) say(`${where}: its body is not the mail's: ${JSON.stringify(activity.text.slice(0, 80))}`);
}

/** A dead letter needs a reason that the world gave. */
function justified(world: World, mail: Mail, lane: string, delivery: DeliveryRow, say: (what: string) => void): void {
  const { refusesSender, mayStayUnknown } = world.vendor;
  const why = `${delivery.reason}: ${delivery.detail}`;
  world.witness.saw(`dead letter ${delivery.reason}`);
  switch (delivery.reason) {
    case "permanent":
      if (lane === "acme/hub" && mail.kind === "refused" && refusesSender) return;
      break;
    case "outcome_unknown":
      if (lane === "acme/hub" && mayStayUnknown) return;
      break;
  }
  say(`${mail.token} (${mail.kind}) at ${lane} is a dead letter without cause: ${why}`);
}

function onceEach({ witness }: World, lane: Lane, all: readonly Logged[], say: (what: string) => void): void {
  const counts = new Map<string, number>();
  for (const { token } of all) counts.set(token, (counts.get(token) ?? 0) + 1);
  for (const [token, count] of counts) if (count > 1) say(`DOUBLED: ${lane} has ${count} activities of ${token}`);
  witness.saw(`${lane} was looked at`);
}

function contactsOnce({ records, vendor, weather }: World, say: (what: string) => void): void {
  const seen = new Map<string, number>();
  for (const tenant of ["acme", "globex"] as const)
    for (const { fields } of records.list("contact", { tenant, limit: 1_000 })) {
      const name = `${tenant} ${String(fields.email)}`;
      seen.set(name, (seen.get(name) ?? 0) + 1);
    }
  const { keepsPeopleSingle, madeByHand } = vendor;
  const isOurs = (id: string): boolean => keepsPeopleSingle || !madeByHand.has(id);
  // Where nothing but waiting keeps a person single, nobody can know under a clock that leaps how long was waited.
  const isTold = keepsPeopleSingle || weather.jumps.length === 0;
  for (const { id, email, gone } of vendor.people())
    if (!gone && isTold && isOurs(id)) seen.set(`hub ${email}`, (seen.get(`hub ${email}`) ?? 0) + 1);
  for (const [name, count] of seen) if (count > 1) say(`DOUBLED: ${count} contacts ${name}`);
}

function namesStand({ vendor }: World, say: (what: string) => void): void {
  const people = new Map(vendor.people().map((person) => [person.id, person]));
  for (const [id, name] of vendor.namesByHand) {
    // Some vendors keep nothing of whom a person has deleted.
    const now = people.get(id);
    if (now !== undefined && now.name !== name)
      say(`OVERWRITTEN: contact ${id} was named ${name} by a person and is now ${now.name}`);
  }
}

/** Within a thread, what was planned in order was written in order, but for what a dead letter let pass. */
function inOrder(
  world: World,
  rows: readonly EventRow[],
  tokenOf: TokenOf,
  logged: ReadonlyMap<Lane, readonly Logged[]>,
  say: (what: string) => void,
): void {
  for (const [lane, all] of logged) {
    const orderOf = new Map(all.map(({ token, order }) => [token, order]));
    const threads = new Map<string, { seq: number; prepared: number; order: number; token: string }[]>();
    for (const row of rows) {
      const token = tokenOf(row) ?? "";
      const delivery = row.deliveries.find((candidate) => candidate.lane === lane);
      const step = delivery?.steps.find(({ kind }) => kind === "activity");
      const [order, prepared] = [orderOf.get(token), world.witness.prepared(row.eventId)];
      if (delivery?.state !== "processed" || step === undefined || order === undefined || prepared === undefined)
        continue;
      const { thread } = prepared;
      const member = { seq: row.seq, prepared: prepared.order, order, token };
      threads.set(thread, [...(threads.get(thread) ?? []), member]);
    }
    for (const members of threads.values()) {
      for (const first of members)
        for (const second of members)
          if (first.seq < second.seq && first.prepared < second.prepared && first.order > second.order)
            say(`OUT OF ORDER: at ${lane} ${second.token} was written before ${first.token}`);
    }
  }
}
