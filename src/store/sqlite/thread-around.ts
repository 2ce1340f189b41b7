/** Reads everything that new messages could touch: what is connected to them by ids, people and subjects, on and on, up to a bound. */
import {
  type AroundRequest,
  mostAnswerers,
  type ThreadDecision,
  type ThreadFacts,
  type ThreadNeighbour,
} from "../../model/threads.ts";
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";
import { factsFrom, nearTo, subjectKeys, threadKeyText } from "./thread-keys.ts";

/**
 * A conversation of more messages than this is no conversation any more, and reading it would hold up everybody's commits. For each that arrives,
 * since those that come together are of as many conversations. The judge compares them in pairs: mails of one sender that share forty missing ids
 * take it 0.06 s for 50, 0.26 s for 200, 0.93 s for 400.
 */
const mostMessages = 200;
const mostAtOnce = 1_000;
/** Of one key. */
const mostRows = 128;

interface Threaded {
  message: number;
  event_id: string;
  tenant: string;
  placed: number;
  thread: string;
  begins: string;
  written_at: number;
  facts: string;
}

interface Hit {
  message: number;
  near: string | null;
}

export function openAround(db: Connection): Operations["around"] {
  // Most keys of a mail are nobody's: one statement says which are somebody's, instead of one for each that finds nothing.
  const present = db
    .prepare<[string], string>(
      "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM thread_key WHERE key = value)",
    )
    .pluck();
  const byKey = db.prepare<[string, number], Hit>(
    "SELECT message, near FROM thread_key WHERE key = ? ORDER BY at DESC, message DESC LIMIT ?",
  );
  const bySubject = db.prepare<[string, number, number, number], Hit>(
    "SELECT message, near FROM thread_key WHERE key = ? AND at BETWEEN ? AND ? ORDER BY at DESC, message DESC LIMIT ?",
  );
  const byBeginning = db.prepare<[string], Hit>("SELECT message, NULL AS near FROM threaded WHERE begins = ?");
  const ofThread = db.prepare<[string, number], Hit>(
    "SELECT message, NULL AS near FROM threaded WHERE thread = ? ORDER BY written_at DESC LIMIT ?",
  );
  const standsIn = db.prepare<[string], { thread: string }>(
    "SELECT t.thread FROM threaded t JOIN event e ON e.seq = t.message WHERE e.event_id = ?",
  );
  const load = db.prepare<[number], Threaded>(
    `SELECT t.message, e.event_id, e.tenant, t.placed, t.thread, t.begins, t.written_at, t.facts
       FROM threaded t JOIN event e ON e.seq = t.message WHERE t.message = ?`,
  );
  const decisions = openDecisions(db);
  // Most ledgers have none.
  const isDecided = db.prepare<[], number>("SELECT 1 FROM decision WHERE stands = 1 LIMIT 1").pluck();

  return ({ tenant, facts: arrivals, window }: AroundRequest) => {
    const found = new Map<number, ThreadNeighbour>();
    const seqs = new Map<string, number>();
    const fans = new Set<string>();
    const decided = new Map<string, ThreadDecision>();
    const asked = new Set<string>();
    const absent = new Set<string>();
    const waiting: ThreadFacts[] = [...arrivals];
    const anyDecided = isDecided.get() !== undefined;
    const most = Math.min(mostMessages * arrivals.length, mostAtOnce);
    let cut = false;

    function take(message: number): ThreadFacts | undefined {
      const known = found.get(message);
      if (known !== undefined) return known;
      if (found.size >= most) {
        cut = true;
        return undefined;
      }
      const row = load.get(message);
      if (row === undefined || row.tenant !== tenant) return undefined;
      const neighbour = neighbourOf(row);
      found.set(message, neighbour);
      seqs.set(row.event_id, message);
      waiting.push(neighbour);
      followThread(row.thread);
      return neighbour;
    }

    /** Also what nothing ties to it any more: a decision was changed, or what was known of a message. It may have to leave the thread. */
    function followThread(thread: string): void {
      if (!isAsked(`thread ${thread}`)) follow(ofThread.all(thread, mostRows + 1));
    }

    function follow(hits: readonly Hit[]): void {
      if (hits.length > mostRows) cut = true;
      for (const { message } of hits.slice(0, mostRows)) take(message);
    }

    const isAsked = (key: string): boolean => asked.size === asked.add(key).size;

    function learnAbsent(facts: ThreadFacts): void {
      const keys = lookedUpBy(facts);
      const known = new Set(present.all(JSON.stringify(keys)));
      for (const key of keys) if (!known.has(key)) absent.add(key);
    }

    const rowsOf = (key: string): readonly Hit[] => (absent.has(key) ? [] : byKey.all(key, mostRows + 1));

    /** `name`: what the judge knows this key by. Where too many answer it, they have nothing in common, but for those whom `between` names. */
    function followAll(key: string, name: string, between: ReadonlySet<string> = nobody): void {
      if (isAsked(key)) return;
      const hits = rowsOf(key);
      const answerers = new Set(hits.map(({ near }) => near));
      answerers.delete(null);
      answerers.delete("");
      const many = answerers.size > mostAnswerers;
      if (many) fans.add(name);
      follow(many ? hits.filter(({ near }) => near !== null && between.has(near)) : hits);
    }

    /** Those that have the id, and unless it is that of mass mail those that name it. */
    function followId(id: string, broadcast: boolean): void {
      const own = threadKeyText(tenant, "own", id);
      if (isAsked(own)) return;
      const owners = rowsOf(own);
      follow(owners);
      const known = owners.flatMap(({ message }) => found.get(message) ?? []);
      if (broadcast || known.some((owner) => owner.broadcast)) fans.add(id);
      else followAll(threadKeyText(tenant, "names", id), id, new Set(known.flatMap(nearTo)));
    }

    function followFacts(facts: ThreadFacts): void {
      learnAbsent(facts);
      if (facts.messageId !== null) followId(facts.messageId, facts.broadcast);
      for (const id of facts.names) followId(id, false);
      if (facts.threadIndex !== null) followAll(threadKeyText(tenant, "index", facts.threadIndex), facts.threadIndex);
      if (facts.gmailThread !== null) followAll(threadKeyText(tenant, "gmail", facts.gmailThread), facts.gmailThread);
      if (facts.token !== null) follow(byBeginning.all(facts.token));
      followAll(threadKeyText(tenant, "token", facts.begins), facts.begins);
      const { writtenAt } = facts;
      for (const key of subjectKeys(facts)) {
        if (isAsked(`${key} ${writtenAt}`) || absent.has(key)) continue;
        follow(bySubject.all(key, writtenAt - window, writtenAt + window, mostRows + 1));
      }
      if (!anyDecided) return;
      for (const { decision, joined } of decisions(facts.eventId, seqs.get(facts.eventId))) {
        decided.set(decision.eventId, decision);
        for (const message of joined) take(message);
      }
    }

    for (const { eventId } of arrivals) {
      const before = standsIn.get(eventId);
      if (before !== undefined) followThread(before.thread);
    }
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) followFacts(next);
    return { messages: [...found.values()], decisions: [...decided.values()], fans: [...fans], cut };
  };
}

const nobody: ReadonlySet<string> = new Set();

/** Every key that the messages around one are looked up by. */
function lookedUpBy(facts: ThreadFacts): readonly string[] {
  const { tenant, messageId, names, threadIndex, gmailThread, begins } = facts;
  const ids = messageId === null ? names : [messageId, ...names];
  const keys = ids.flatMap((id) => [threadKeyText(tenant, "own", id), threadKeyText(tenant, "names", id)]);
  if (threadIndex !== null) keys.push(threadKeyText(tenant, "index", threadIndex));
  if (gmailThread !== null) keys.push(threadKeyText(tenant, "gmail", gmailThread));
  return [...keys, threadKeyText(tenant, "token", begins), ...subjectKeys(facts)];
}

function neighbourOf(row: Threaded): ThreadNeighbour {
  const { event_id: eventId, tenant, begins, written_at: writtenAt } = row;
  return { ...factsFrom(row.facts, { eventId, tenant, begins, writtenAt }), threadId: row.thread, placed: row.placed };
}

interface Decided {
  event: number;
  event_id: string;
  kind: "join" | "new";
  with_event: number | null;
  with_event_id: string | null;
}

/** What was decided about a message, or joined to it. */
function openDecisions(
  db: Connection,
): (eventId: string, known: number | undefined) => { decision: ThreadDecision; joined: readonly number[] }[] {
  const columns = `SELECT d.event, e.event_id, d.kind, d.with_event, w.event_id AS with_event_id
    FROM decision d JOIN event e ON e.seq = d.event LEFT JOIN event w ON w.seq = d.with_event`;
  const seqOf = db.prepare<[string], number>("SELECT seq FROM event WHERE event_id = ?").pluck();
  const about = db.prepare<[number], Decided>(`${columns} WHERE d.event = ? AND d.about = 'thread' AND d.stands = 1`);
  const withIt = db.prepare<[number], Decided>(
    `${columns} WHERE d.with_event = ? AND d.about = 'thread' AND d.stands = 1`,
  );
  return (eventId, known) => {
    const seq = known ?? seqOf.get(eventId);
    if (seq === undefined) return [];
    return [...about.all(seq), ...withIt.all(seq)].map((row) => ({
      decision: { eventId: row.event_id, kind: row.kind, withEventId: row.with_event_id },
      joined: row.with_event === null ? [] : [row.event, row.with_event],
    }));
  };
}
