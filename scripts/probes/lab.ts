/** Asks a live account a question by making records that are clearly ours, and takes every one of them away again. */
import type { Clock } from "../../src/model/ports.ts";
import { type Wire, WireBroken, type WireResponse } from "../../src/model/wire.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface Lab {
  readonly clock: Clock;
  /** In every name that is made: whoever finds one left over knows whose it is. */
  readonly mark: string;
  /** A key that no other run has. */
  key(name: string): string;
  call(method: Method, path: string, body?: object): Promise<WireResponse>;
  /** May be refused: that is the question. What was made all the same is taken away by `undo` at the end. */
  attempt(path: string, body: object, undo: (made: WireResponse) => string | undefined): Promise<WireResponse>;
  /** Has to succeed for the question to make sense; what was made is taken away by `undo` at the end. */
  make(path: string, body: object, undo: (made: WireResponse) => string | undefined): Promise<WireResponse>;
  /** To be deleted at the end. */
  undo(path: string): void;
  /** Milliseconds until `seen` answers true; null where it does not within `mostMs`. */
  until(seen: () => Promise<boolean>, mostMs: number): Promise<number | null>;
}

export interface Found {
  /** In figures and the vendor's own words. */
  readonly found: string;
  /** Whether the sandbox behaves so by default; null where this run could not tell. */
  readonly asGuessed: boolean | null;
}

export interface Probe {
  readonly question: string;
  /** What would have to change: the row of src/sandbox/FIDELITY.md, and the option that holds the guess. */
  readonly changes: string;
  ask(lab: Lab): Promise<Found>;
}

export interface ProbedVendor {
  readonly name: string;
  /** Variable of the environment that holds the token. */
  readonly tokenFrom: string;
  /** Undefined where every account has its own, given as MAILWRIGHT_PROBE_<VENDOR>_URL. */
  readonly url: string | undefined;
  headers(token: string): Readonly<Record<string, string>>;
  /** What the vendor lets nobody take away, as a sentence. */
  readonly stays?: string;
  /** In order of value. */
  readonly probes: readonly Probe[];
}

/** The account does not let the question be asked. */
export class Unasked extends Error {
  override readonly name = "Unasked";
}

export interface Answered extends Partial<Found> {
  readonly question: string;
  readonly changes: string;
  /** Why there is no answer. */
  readonly unasked?: string;
}

export interface Report {
  readonly answers: readonly Answered[];
  /** Records that could not be taken away, with the vendor's words. */
  readonly left: readonly string[];
}

export interface LabPorts {
  readonly wire: Wire;
  readonly clock: Clock;
  /** Of this run. */
  readonly run: string;
}

/** Each question is cleaned up after before the next one is asked. */
export async function probe(
  { probes, stays }: ProbedVendor,
  ports: LabPorts,
  say: (line: string) => void,
): Promise<Report> {
  const answers: Answered[] = [];
  const left: string[] = [];
  for (const { question, changes, ask } of probes) {
    const undone: string[] = [];
    const lab = openLab(ports, undone);
    say(`? ${question}`);
    try {
      const found = await ask(lab);
      answers.push({ question, changes, ...found });
      const verdict =
        found.asGuessed === null ? "not settled" : found.asGuessed ? "as the sandbox has it" : `OTHERWISE: ${changes}`;
      say(`  ${found.found}\n  ${verdict}`);
    } catch (error) {
      if (!(error instanceof Unasked) && !(error instanceof WireBroken)) throw error;
      answers.push({ question, changes, unasked: error.message });
      say(`  not asked: ${error.message}`);
    } finally {
      // The last that was made goes first: others may stand on what was made before it.
      for (const path of undone.reverse()) {
        const words = await removed(ports.wire, path);
        if (words !== undefined) left.push(`${path}: ${words}`);
      }
    }
  }
  if (stays !== undefined) say(`! ${stays}`);
  for (const record of left) say(`! could not be removed: ${record}`);
  return { answers, left };
}

async function removed(wire: Wire, path: string): Promise<string | undefined> {
  try {
    const { status, text } = await wire.request({ method: "DELETE", path, object: "probe" });
    return status < 300 || status === 404 || status === 410 || /ENTITY_IS_DELETED/.test(text)
      ? undefined
      : `${status} ${text.slice(0, 200)}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const firstPauseMs = 250;
const longestPauseMs = 5_000;

function openLab({ wire, clock, run }: LabPorts, undone: string[]): Lab {
  const lab: Lab = {
    clock,
    mark: `Mailwright probe ${run}, may be deleted`,
    key: (name) => `mw-probe-${run}-${name}`,
    call: async (method, path, body) =>
      await wire.request({ method, path, object: "probe", ...(body === undefined ? {} : { body }) }),
    async attempt(path, body, undo) {
      const answer = await lab.call("POST", path, body);
      const at = answer.status < 300 ? undo(answer) : undefined;
      if (at !== undefined) undone.push(at);
      return answer;
    },
    async make(path, body, undo) {
      const before = undone.length;
      const made = await lab.attempt(path, body, undo);
      if (undone.length === before) throw new Unasked(`POST ${path.split("?")[0]} was answered ${wordsOf(made)}`);
      return made;
    },
    undo: (path) => void undone.push(path),
    async until(seen, mostMs) {
      const begun = clock.now();
      for (let pause = firstPauseMs; ; pause = Math.min(2 * pause, longestPauseMs)) {
        if (await seen()) return clock.now() - begun;
        if (clock.now() - begun >= mostMs) return null;
        await clock.sleep(pause);
      }
    },
  };
  return lab;
}

export const wordsOf = ({ status, text }: WireResponse): string =>
  `${status} ${text.replace(/\s+/g, " ").slice(0, 300)}`;
export const seconds = (ms: number | null): string =>
  ms === null ? "not at all within the time" : `after ${(ms / 1_000).toFixed(1)} s`;

/** A value anywhere in an answer, by its path: `data.0.id`. */
export function at(answer: WireResponse, path: string): unknown {
  let value: unknown = answer.json;
  for (const name of path.split("."))
    value = value !== null && typeof value === "object" ? (value as Record<string, unknown>)[name] : undefined;
  return value;
}

/** An id as text; undefined where there is none. */
export function idAt(answer: WireResponse, path: string): string | undefined {
  const id = at(answer, path);
  return typeof id === "string" || typeof id === "number" ? String(id) : undefined;
}
