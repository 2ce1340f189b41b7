/** What Pipedrive's answers say of its limits: the window of two seconds, and where it does the tokens of the day. https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting (checked 2026-11-29) */
import type { Told } from "../../model/budget.ts";
import type { WireResponse } from "../../model/wire.ts";
import { figure, saying } from "../shared/told.ts";

export function tells({ headers }: WireResponse): Told | undefined {
  const at = (name: string): number | undefined => figure(headers[name]);
  const resetS = at("x-ratelimit-reset");
  const window = saying<NonNullable<Told["window"]>>({
    most: at("x-ratelimit-limit"),
    left: at("x-ratelimit-remaining"),
    resetMs: resetS === undefined || resetS > 60 ? undefined : resetS * 1_000,
  });
  const left = at("x-daily-ratelimit-token-remaining");
  const most = at("x-daily-ratelimit-token-limit");
  const day = left === undefined ? undefined : saying<NonNullable<Told["day"]>>({ most, left });
  return saying<Told>({ window, day });
}
