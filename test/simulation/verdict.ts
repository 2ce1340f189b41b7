/** Holds a world that has come to rest against every promise that was made. */

import { createIdentity } from "../../src/mail/identity.ts";
import type { DeadLetter, DeliveryRow, EventRow } from "../../src/model/ledger.ts";
import type { LocalRecord } from "../../src/model/records.ts";
import { openRaw } from "../../src/pipeline/raw.ts";
import { lanes } from "./daemon.ts";
import type { Mail, Tenant } from "./mails.ts";
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
  await deadLettersShow(world, rows, say);
  await countsAgree(world, rows, say);
  await rawsReadable(world, rows, tokenOf, say);
  const leased = await world.ledger.reclaim(world.time.trueNow);
  if (leased > 0) say(`${leased} leases are left over`);
  return wrong;
}

const tokenIn = (text: string | null | undefined): string => /tk\d+-[0-9a-f]{8}/.exec(text ?? "")?.[0] ?? "";

function loggedByLane({ records, vendor }: World): ReadonlyMap<Lane, readonly Logged[]> {
  const { contacts, emails: all } = vendor.sandbox.state();
  const deleted = new Set(contacts.filter(({ archived }) => archived).map(({ id }) => id));
  const emails = all.map(({ id, properties, associations }): Logged => {
    const headers = JSON.parse(properties.hs_email_headers ?? "{}") as { from?: { email?: string } };
    return {
      id,
      token: tokenIn(properties.hs_email_subject),
      text: properties.hs_email_text ?? "",
      from: headers.from?.email ?? null,
      contacts: livingOf(associations.contacts ?? [], deleted),
      order: Number(id),
    };
  });
  const local = (tenant: Tenant) => records.list("activity", { tenant, limit: 10_000 }).map(localLogged);
  return new Map([
    ["acme/hub", emails],
    ["acme/crm", local("acme")],
    ["globex/crm", local("globex")],
  ]);
}

/** A merge leaves the activity on both contacts, one of them deleted; a deletion leaves it on the deleted one. */
function livingOf(ids: readonly string[], deleted: ReadonlySet<string>): number {
  return Math.max(Math.min(ids.length, 1), ids.filter((id) => !deleted.has(id)).length);
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
        if (mail.kind !== "nameless" || found.length > 0)
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
    mail.kind === "poison" || mail.kind === "killer" || world.witness.deathsAtParse(`about ${mail.token}`) >= 3;
  if (!marked || !may) say(`${where}: its body is not the mail's: ${JSON.stringify(activity.text.slice(0, 80))}`);
}

/** A dead letter needs a reason that the world gave. */
function justified(world: World, mail: Mail, lane: string, delivery: DeliveryRow, say: (what: string) => void): void {
  const { emailsUnique } = world.weather.account;
  const why = `${delivery.reason}: ${delivery.detail}`;
  world.witness.saw(`dead letter ${delivery.reason}`);
  switch (delivery.reason) {
    case "permanent":
      if (lane === "acme/hub" && mail.kind === "refused") return;
      // A person took the contact away between our finding it and our writing.
      if (lane === "acme/hub" && world.weather.humans > 0) return;
      break;
    case "outcome_unknown":
      if (lane === "acme/hub" && emailsUnique !== "yes") return;
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

function contactsOnce({ records, vendor }: World, say: (what: string) => void): void {
  const seen = new Map<string, number>();
  for (const tenant of ["acme", "globex"] as const)
    for (const { fields } of records.list("contact", { tenant, limit: 1_000 })) {
      const name = `${tenant} ${String(fields.email)}`;
      seen.set(name, (seen.get(name) ?? 0) + 1);
    }
  for (const { properties, archived } of vendor.sandbox.state().contacts)
    if (!archived) seen.set(`hub ${properties.email}`, (seen.get(`hub ${properties.email}`) ?? 0) + 1);
  for (const [name, count] of seen) if (count > 1) say(`DOUBLED: ${count} contacts ${name}`);
}

function namesStand({ vendor }: World, say: (what: string) => void): void {
  const contacts = new Map(vendor.sandbox.state().contacts.map((contact) => [contact.id, contact]));
  for (const [id, name] of vendor.namesByHand) {
    const now = contacts.get(id)?.properties.firstname;
    if (now !== name) say(`OVERWRITTEN: contact ${id} was named ${name} by a person and is now ${now}`);
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
  const threadOf = new Map(world.mails.map(({ token, thread }) => [token, thread]));
  for (const [lane, all] of logged) {
    const orderOf = new Map(all.map(({ token, order }) => [token, order]));
    const threads = new Map<string, { seq: number; prepared: number; order: number; token: string }[]>();
    for (const row of rows) {
      const token = tokenOf(row) ?? "";
      const delivery = row.deliveries.find((candidate) => candidate.lane === lane);
      const step = delivery?.steps.find(({ kind }) => kind === "activity");
      const [order, prepared] = [orderOf.get(token), world.witness.preparedOrder(row.eventId)];
      if (delivery?.state !== "processed" || step === undefined || order === undefined || prepared === undefined)
        continue;
      const thread = threadOf.get(token) ?? token;
      threads.set(thread, [...(threads.get(thread) ?? []), { seq: row.seq, prepared, order, token }]);
    }
    for (const members of threads.values()) {
      for (const first of members)
        for (const second of members)
          if (first.seq < second.seq && first.prepared < second.prepared && first.order > second.order)
            say(`OUT OF ORDER: at ${lane} ${second.token} was written before ${first.token}`);
    }
  }
}

async function deadLettersShow(
  { ledger }: World,
  rows: readonly EventRow[],
  say: (what: string) => void,
): Promise<void> {
  const shown: readonly DeadLetter[] = await ledger.deadLetters({ limit: 10_000 });
  const ids = new Set(shown.map(({ id }) => id));
  for (const row of rows)
    for (const { id, state, lane } of row.deliveries)
      if (state === "failed" && !ids.has(id))
        say(`HIDDEN: the dead letter of ${row.eventId} at ${lane} is not in the list`);
  for (const letter of shown) if (letter.detail === "") say(`dead letter ${letter.id} says nothing`);
}

/** What the ledger counts as it goes is what a count over its rows gives. */
async function countsAgree(
  { ledger, time }: World,
  rows: readonly EventRow[],
  say: (what: string) => void,
): Promise<void> {
  const stats = await ledger.stats(time.trueNow);
  const all = rows.flatMap(({ deliveries }) => deliveries);
  if (stats.messages !== rows.length) say(`the ledger counts ${stats.messages} messages and has ${rows.length}`);
  if (stats.received !== 0 || stats.backlog !== 0)
    say(`the ledger counts a backlog of ${stats.backlog}, received ${stats.received}`);
  if (stats.unarchived !== 0) say(`${stats.unarchived} messages never reached the attic`);
  for (const [state, count] of Object.entries(stats.deliveries)) {
    const found = all.filter((delivery) => delivery.state === state).length;
    if (found !== count) say(`the ledger counts ${count} deliveries ${state} and has ${found}`);
  }
  for (const { steps, state, lane } of all)
    for (const step of steps) {
      if (state === "processed" && step.state !== "confirmed")
        say(`a processed delivery at ${lane} has a step ${step.state}`);
      if (step.state === "sent") say(`a step at ${lane} is sent for ever`);
    }
}

/** The bytes of every message that retention left can still be read, and are the bytes that were sent. */
async function rawsReadable(
  world: World,
  rows: readonly EventRow[],
  tokenOf: TokenOf,
  say: (what: string) => void,
): Promise<void> {
  const { disk, ledger, sealer } = world;
  const named = new Set<string>();
  for (const row of rows) {
    if (row.raw.kind === "spool") named.add(row.raw.name);
    if (row.raw.kind === "gone") {
      if (world.weather.retention.rawMs === null)
        say(`the raw bytes of ${row.eventId} are gone, and nobody asked for that`);
      continue;
    }
    const token = tokenOf(row);
    const mail = world.mails.find((candidate) => candidate.token === token);
    try {
      const raw = await openRaw(row.eventId, row.raw, await ledger.raw(row.eventId), { ...disk, sealer });
      const chunks: Uint8Array[] = [];
      for await (const chunk of raw) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      if (mail === undefined || !bytes.subarray(-mail.bytes.length).equals(mail.bytes))
        say(`the raw bytes of ${row.eventId} are others`);
    } catch (error) {
      say(`LOST: the raw bytes of ${row.eventId} (${row.raw.kind}) cannot be read: ${String(error)}`);
    }
  }
  // Under a clock that was set back a file looks newer than it is, and is swept that much later.
  if (world.weather.jumps.some(({ byMs }) => byMs < 0)) return;
  for (const name of disk.spooled.keys()) if (!named.has(name)) say(`the spool keeps ${name}, which nobody needs`);
}
