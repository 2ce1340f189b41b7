/** Planned misfortune: what goes wrong on which call, before or after the commit. Plans are plain JSON, so that another process can lay them. */
import { z } from "zod";
import type { Random } from "../model/ports.ts";

const ms = z.number().int().min(0);
const headers = z.record(z.string(), z.string()).default({});

export const faultSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("drop") }).describe("The connection dies before anything happened."),
  z
    .object({ kind: z.literal("commit_then_drop") })
    .describe("Everything happened; the connection dies before the answer."),
  z
    .object({ kind: z.literal("commit_then_status"), status: z.number().int() })
    .describe("Everything happened; an edge answers 502, 504, 524."),
  z
    .object({ kind: z.literal("commit_then_truncate") })
    .describe("Everything happened; the JSON of the answer ends in its middle."),
  z
    .object({ kind: z.literal("commit_then_hang") })
    .describe("Everything happened; the answer is held until it is released."),
  z.object({ kind: z.literal("hang") }).describe("The call is held until it is released, and happens then."),
  z
    .object({ kind: z.literal("slow_commit"), ms })
    .describe("Happens only after this time, when the client has given up."),
  z.object({ kind: z.literal("slow_answer"), ms }).describe("Happens at once; the answer comes after this time."),
  z
    .object({ kind: z.literal("status"), status: z.number().int(), headers, body: z.unknown().optional() })
    .describe(
      "Nothing happened; this is the answer. Without a body: an edge's page for 5xx, the vendor's usual words otherwise.",
    ),
]);
export type Fault = z.infer<typeof faultSchema>;

/** `route` is a name such as `emails.create`, `*.get` or `*`. Either the nth matching call (1 is the next), and `times` in a row, or by chance. */
export const faultPlanSchema = z.strictObject({
  route: z.string(),
  nth: z.number().int().min(1).default(1),
  times: z.number().int().min(1).default(1),
  probability: z.number().min(0).max(1).optional(),
  fault: faultSchema,
});
export type FaultPlan = z.input<typeof faultPlanSchema>;

export interface Faults {
  plan(plan: FaultPlan): void;
  clear(): void;
  /** The fault that this call meets, if any. Every matching plan counts the call. */
  next(route: string): Fault | undefined;
}

export function openFaults(random: Pick<Random, "unit">): Faults {
  let plans: { plan: z.output<typeof faultPlanSchema>; seen: number }[] = [];
  return {
    plan(given) {
      plans.push({ plan: faultPlanSchema.parse(given), seen: 0 });
    },
    clear() {
      plans = [];
    },
    next(route) {
      if (plans.length === 0) return undefined;
      let met: Fault | undefined;
      for (const entry of plans) {
        if (!matches(entry.plan.route, route)) continue;
        entry.seen++;
        const { nth, times, probability, fault } = entry.plan;
        const hit =
          probability === undefined ? entry.seen >= nth && entry.seen < nth + times : random.unit() < probability;
        if (hit) met ??= fault;
      }
      plans = plans.filter(({ plan, seen }) => plan.probability !== undefined || seen < plan.nth + plan.times - 1);
      return met;
    },
  };
}

function matches(pattern: string, route: string): boolean {
  if (pattern === "*" || pattern === route) return true;
  const [object, operation] = pattern.split(".");
  const [given, done] = route.split(".");
  return (object === "*" || object === given) && (operation === "*" || operation === done);
}
