/** A vendor's account in a world: how the road reaches it, how the people in it work, and what the verdict can see there. */
import type { FaultPlan } from "../../../src/sandbox/faults.ts";
import type { Sandbox } from "../../../src/sandbox/sandbox.ts";
import type { Chance } from "../chance.ts";
import type { VirtualTime } from "../clock.ts";
import type { Weather } from "../weather.ts";

/** A logged mail that is there. */
export interface Logged {
  readonly id: string;
  readonly subject: string;
  readonly text: string;
  readonly from: string | null;
  /** Ids of the people it stands on, each once. */
  readonly people: readonly string[];
}

export interface Person {
  readonly id: string;
  readonly email: string;
  readonly name: string | null;
  readonly gone: boolean;
  /** All that is said of it, to look for an address in. */
  readonly all: string;
}

export interface Account {
  /** The `type:` of its destination. */
  readonly type: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly sandbox: Sandbox;
  readonly tooMany: Extract<FaultPlan["fault"], { kind: "status" }>;
  /** What else a bad day has here: for creates alone. */
  readonly locked?: Extract<FaultPlan["fault"], { kind: "status" }>;
  /** Whether nobody may ever learn what became of a call: where the vendor does not keep our key single. */
  readonly mayStayUnknown: boolean;
  /** Whether the vendor itself keeps a person single. Elsewhere only waiting does, and a clock that leaps ahead waits for nothing. */
  readonly keepsPeopleSingle: boolean;
  /** It will have nothing to do with one sender (mails.ts). */
  readonly refusesSender: boolean;
  /** In the order in which they were made. */
  activities(): readonly Logged[];
  /** Those who are gone too, where the vendor keeps them. */
  people(): readonly Person[];
  readonly hands: {
    /** Answers the id. */
    add(email: string, name: string): string;
    rename(id: string, name: string): void;
    remove(id: string): void;
    /** Not everywhere can people do that. */
    merge?(survivor: string, loser: string): void;
  };
}

export interface AccountPorts {
  readonly weather: Weather;
  readonly time: VirtualTime;
  readonly chance: Chance;
}

export type OpenAccount = (ports: AccountPorts) => Account;
