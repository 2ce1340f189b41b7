/** The list of destinations, sorted by name. A new one is a file beside this one and a line here. */
import type { ZodType } from "zod";
import type { Told } from "../model/budget.ts";
import type { Destination, DestinationPorts, Facts, Session } from "../model/destination.ts";
import type { WireResponse } from "../model/wire.ts";
import { close } from "./close.ts";
import { hubspot } from "./hubspot.ts";
import { local } from "./local.ts";
import { pipedrive } from "./pipedrive.ts";

import { salesforce } from "./salesforce.ts";

import { tryton } from "./tryton.ts";
import { zoho } from "./zoho.ts";

/** A destination with an account's settings in it. */
export interface BoundDestination {
  readonly name: string;
  readonly facts: Facts;
  /** How to reach the vendor; undefined for what needs no network. */
  readonly reach: { readonly baseUrl: string; readonly headers: Readonly<Record<string, string>> } | undefined;
  /** What an answer says of limits, and whether it asks for silence. */
  tells(answer: WireResponse, now: number): Told | undefined;
  open(ports: DestinationPorts): Session;
}

/** What can be known and done without knowing the type of a destination's settings. */
export interface ListedDestination {
  readonly name: string;
  readonly facts: Facts;
  readonly settings: ZodType;
  /** Throws ZodError when the settings are not this destination's. */
  bind(settings: unknown): BoundDestination;
}

function listed<S>(destination: Destination<S>): ListedDestination {
  const { name, facts, settings } = destination;
  return {
    name,
    facts,
    settings,
    bind(given) {
      const own = settings.parse(given);
      return {
        name,
        facts: destination.factsFor?.(own) ?? facts,
        reach: destination.reach(own),
        tells: (answer, now) => toldBy(destination, answer, now),
        open: (ports) => destination.open(own, ports),
      };
    },
  };
}

/** Of refusals only the one that speaks of limits by its status: what another one means depends on who asked. */
function toldBy<S>({ tells, classify }: Destination<S>, answer: WireResponse, now: number): Told | undefined {
  const told = tells?.(answer);
  const failure = answer.status === 429 ? classify(answer, false, now) : undefined;
  if (failure?.kind !== "rate_limited") return told;
  return { ...told, silence: { until: failure.until, reason: failure.reason } };
}

export const destinations: readonly ListedDestination[] = [
  listed(close),
  listed(hubspot),
  listed(local),
  listed(pipedrive),
  listed(salesforce),
  listed(tryton),
  listed(zoho),
];
