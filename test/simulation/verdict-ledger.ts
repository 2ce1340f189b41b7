/** What the ledger has to be like when all has come to rest: complete, consistent, and with every message's bytes at hand. */
import type { DeadLetter, EventRow } from "../../src/model/ledger.ts";
import { openRaw } from "../../src/pipeline/raw.ts";
import type { World } from "./world.ts";

type Say = (what: string) => void;
type TokenOf = (row: EventRow) => string | undefined;

export async function ledgerVerdict(
  world: World,
  rows: readonly EventRow[],
  tokenOf: TokenOf,
  say: Say,
): Promise<void> {
  await deadLettersShow(world, rows, say);
  await countsAgree(world, rows, say);
  await rawsReadable(world, rows, tokenOf, say);
  const leased = await world.ledger.reclaim(world.time.trueNow);
  if (leased > 0) say(`${leased} leases are left over`);
}

async function deadLettersShow({ ledger }: World, rows: readonly EventRow[], say: Say): Promise<void> {
  const shown: readonly DeadLetter[] = await ledger.deadLetters({ limit: 10_000 });
  const ids = new Set(shown.map(({ id }) => id));
  for (const row of rows)
    for (const { id, state, lane } of row.deliveries)
      if (state === "failed" && !ids.has(id))
        say(`HIDDEN: the dead letter of ${row.eventId} at ${lane} is not in the list`);
  for (const letter of shown) if (letter.detail === "") say(`dead letter ${letter.id} says nothing`);
}

/** What the ledger counts as it goes is what a count over its rows gives. */
async function countsAgree({ ledger, time }: World, rows: readonly EventRow[], say: Say): Promise<void> {
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
      // Of a list of files that a later one took the place of it may never be known; what the CRM lists in the end is looked at by itself.
      if (state === "processed" && step.state !== "confirmed" && step.kind !== "file")
        say(`a processed delivery at ${lane} has a step ${step.state}`);
      if (step.state === "sent") say(`a step at ${lane} is sent for ever`);
    }
}

/** The bytes of every message that retention left can still be read, and are the bytes that were sent. */
async function rawsReadable(world: World, rows: readonly EventRow[], tokenOf: TokenOf, say: Say): Promise<void> {
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
      const raw = await openRaw(row, row.raw, await ledger.raw(row.eventId), { ...disk, sealer });
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
