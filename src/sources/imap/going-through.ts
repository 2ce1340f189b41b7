/**
 * Takes messages in through all that breaks on the way: connections are made again, and a message that breaks them or does not come is given up
 * after some tries, visibly, and holds up no other.
 */
import { Fenced } from "../../model/source.ts";
import { pauseAfter } from "./backoff.ts";
import { type OpenFolder, type PassPorts, stateOf, type TakePorts, takeOld } from "./old-mail.ts";
import { ImapTrouble, OtherNumbers } from "./trouble.ts";
import type { Visit } from "./visit.ts";

/** Of one message, in one run. */
const mostTries = 5;
/** So many passes in a row with nothing to show for them, and the server is at fault. */
const mostVain = 8;
const mostReconnects = 6;

interface Left {
  tries: number;
  alone: boolean;
  reason: string;
  /** The fault of the last try was here. */
  ours: boolean;
}

interface Course {
  readonly here: Visit;
  readonly folder: OpenFolder;
  readonly ports: TakePorts;
  readonly left: Map<number, Left>;
  /** Those that are being asked for now. */
  asked: readonly number[];
}

/** Until all are through, given up, or `stop` says so. Rejects with OtherNumbers, or with ImapTrouble where the server gives nothing. */
export async function takeThrough(
  here: Visit,
  folder: OpenFolder,
  uids: readonly number[],
  ports: TakePorts,
): Promise<void> {
  const { clock, stop } = ports;
  const left = new Map(uids.map((uid): [number, Left] => [uid, { tries: 0, alone: false, reason: "", ours: false }]));
  const course: Course = { here, folder, ports, left, asked: [] };
  let vain = 0;
  await begin(course);
  while (left.size > 0 && !stop.aborted) {
    const before = left.size;
    const trouble = await pass(course);
    if (trouble === undefined) await settleFailed(course);
    vain = left.size < before ? 0 : vain + 1;
    if (left.size === 0 || stop.aborted) return;
    if (vain >= mostVain) throw trouble ?? new ImapTrouble("refused", "the server gives none of the messages");
    await clock.sleep(pauseAfter(trouble?.kind ?? "refused", vain + 1, 0.5), stop);
    if (trouble === undefined || stop.aborted) continue;
    const tries = await reconnect(course);
    // A server that was away for longer broke the connection itself.
    if (trouble.kind === "connection" && tries === 1) blame(trouble, course);
    await settleFailed(course);
    if (left.size < before) vain = 0;
  }
}

/** All that are left, once; what broke it off. */
async function pass(course: Course): Promise<ImapTrouble | undefined> {
  const { here, folder, ports, left } = course;
  const passing: PassPorts = {
    ...ports,
    isAlone: (uid) => left.get(uid)?.alone === true,
    asking(uids) {
      course.asked = uids;
    },
    told(outcome) {
      left.delete(outcome.uid);
      ports.told(outcome);
    },
    missed(uid, reason, ours) {
      const one = left.get(uid);
      if (one !== undefined) Object.assign(one, { tries: one.tries + 1, alone: true, reason, ours });
    },
  };
  const order = [...left].sort(([a, one], [b, other]) => rank(one) - rank(other) || a - b).map(([uid]) => uid);
  try {
    await takeOld(here.client, folder, order, passing);
    return undefined;
  } catch (error) {
    if (error instanceof Fenced) throw new OtherNumbers(folder.chosen.name);
    if (!(error instanceof ImapTrouble) || (error.kind !== "connection" && error.kind !== "limit")) throw error;
    return error;
  }
}

/** Those that may well be fine come first, and then the ones that are nearest to being given up. */
const rank = ({ tries, alone }: Left): number => (tries > 0 ? 2 + mostTries - tries : alone ? 1 : 0);

/** One by itself is to blame; of several, each is asked for alone from now on. */
function blame(trouble: ImapTrouble, { asked, left }: Course): void {
  const suspects = asked.flatMap((uid) => left.get(uid) ?? []);
  const [only] = suspects;
  if (only?.alone === true && suspects.length === 1) {
    Object.assign(only, { tries: only.tries + 1, reason: trouble.message, ours: false });
    return;
  }
  for (const one of suspects) one.alone = true;
}

/** Since its messages were counted, others were open on this connection, and it may have been made anew. */
async function begin(course: Course): Promise<void> {
  try {
    await mustBeSame(course);
  } catch (error) {
    const kind = error instanceof ImapTrouble ? error.kind : undefined;
    if (kind !== "connection" && kind !== "limit") throw error;
    await reconnect(course);
  }
}

async function mustBeSame({ here, folder, ports }: Course): Promise<void> {
  const state = await stateOf(here.client, folder.chosen, folder.state.account, ports.ledger);
  if (state?.id !== folder.state.id) throw new OtherNumbers(folder.chosen.name);
}

/** How many tries it took; none where `stop` came first. */
async function reconnect(course: Course): Promise<number> {
  const {
    here,
    ports: { clock, stop },
  } = course;
  for (let tries = 1; !stop.aborted; tries++) {
    try {
      await here.reconnect();
      await mustBeSame(course);
      return tries;
    } catch (error) {
      const kind = error instanceof ImapTrouble ? error.kind : undefined;
      if ((kind !== "connection" && kind !== "limit") || tries >= mostReconnects) throw error;
      await clock.sleep(pauseAfter(kind, tries + 1, 0.5), stop);
    }
  }
  return 0;
}

/** Given up only where the server gives another message: where it gives nothing, the message is not to blame. */
async function settleFailed({ here, folder, ports, left }: Course): Promise<void> {
  const due = [...left].filter(([, { tries }]) => tries >= mostTries);
  if (due.length === 0) return;
  const gives = due.some(([, { ours }]) => !ours) && (await givesAnother(here, left));
  for (const [uid, { reason, tries, ours }] of due) {
    left.delete(uid);
    const given = { folder: folder.state.id, uid, reason, attempts: tries, at: ports.clock.now() };
    const isGivenUp = gives && !ours && (await ports.ledger.giveUp(given));
    ports.told({ kind: isGivenUp ? "given_up" : "failed", uid, reason });
  }
}

async function givesAnother({ client }: Visit, left: ReadonlyMap<number, Left>): Promise<boolean> {
  try {
    const other = (await client.uids(1)).findLast((uid) => !left.has(uid));
    if (other === undefined) return false;
    for await (const piece of client.pieces(other, 0)) return piece.length > 0;
    return false;
  } catch (error) {
    if (error instanceof ImapTrouble) return false;
    throw error;
  }
}
