/** What every vendor's sandbox is, and what is asked of it: the shapes that the server, the page and the tests share. */
import type { Clock } from "../model/ports.ts";
import type { FaultPlan } from "./faults.ts";

export interface SandboxRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
/** The connection dies without a (whole) answer. */
export interface Dropped {
  readonly drop: true;
}
export type SandboxReply = Reply | Dropped;

export interface LoggedCall {
  readonly at: number;
  readonly route: string;
  readonly method: string;
  readonly path: string;
  /** What was answered; null when the connection was dropped. */
  readonly status: number | null;
  readonly fault: string | undefined;
}

/** Records of one kind, as the page lists them. */
export interface Table {
  readonly name: string;
  readonly rows: readonly Readonly<Record<string, string>>[];
}

/** A stateful vendor server without a socket; server.ts puts it behind one. */
export interface Sandbox {
  handle(request: SandboxRequest): Promise<SandboxReply>;
  /** All of it, for tests. */
  state(): object;
  /** What it holds, for people. */
  tables(): readonly Table[];
  readonly faults: { plan(plan: FaultPlan): void; clear(): void };
  /** The last calls, oldest first. */
  readonly log: readonly LoggedCall[];
  /** Lets every held answer go. Answers how many there were. */
  release(): number;
  /** Resolves when this many answers are held. */
  whenHeld(count: number): Promise<void>;
  /** As new. */
  reset(): void;
}

/** A vendor in the list that `mailwright sandbox` offers (vendors.ts). */
export interface SandboxVendor {
  /** The `type:` of its destination, and the word on the command line. */
  readonly name: string;
  /** As people write it. */
  readonly title: string;
  /** One line for the help. */
  readonly about: string;
  /** `prepared`: with what `doctor --fix` makes in place. */
  open(ports: { readonly clock: Clock; readonly prepared: boolean }): Sandbox;
  /** The keys beside `id` and `type` of a destination that reaches it, as YAML between braces. */
  entry(url: string): string;
}
