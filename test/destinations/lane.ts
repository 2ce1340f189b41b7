/** A vendor's connector before its sandbox in this process, with the lane's bucket between them as the daemon sets it. */
import { destinations } from "../../src/destinations/index.ts";
import type { Facts, Session } from "../../src/model/destination.ts";
import type { Clock } from "../../src/model/ports.ts";
import type { Wire } from "../../src/model/wire.ts";
import { type Bucket, openBucket } from "../../src/pipeline/bucket.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { wireTo } from "../../src/sandbox/wire.ts";
import { portsFor } from "./fixtures.ts";

export interface VendorLane {
  readonly bucket: Bucket;
  readonly facts: Facts;
  readonly wire: Wire;
  readonly session: Session;
}

/** `name`: the `type:` of the destination; `settings`: beside the address, which a sandbox in process does without. */
export function laneBefore(
  sandbox: Pick<Sandbox, "handle">,
  name: string,
  settings: Readonly<Record<string, unknown>>,
  clock: Clock,
): VendorLane {
  const bound = destinations.find((one) => one.name === name)?.bind(settings);
  if (bound === undefined) throw new TypeError(`there is no destination ${name}`);
  const { facts, reach, tells } = bound;
  const bucket = openBucket(facts.limits, clock, { day: facts.day, width: facts.width });
  const wire = wireTo({
    sandbox,
    clock,
    headers: reach?.headers ?? {},
    beforeCall: (budget, cost) => bucket.begin(budget, cost),
    afterCall: (budget, answer) => bucket.end(budget, answer && tells(answer, clock.now())),
  });
  return { bucket, facts, wire, session: bound.open(portsFor(clock, wire)) };
}
