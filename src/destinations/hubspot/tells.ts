/** What HubSpot's answers say of its limits: five headers, on all but searches. https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines (checked 2026-11-29) */
import type { Told } from "../../model/budget.ts";
import type { WireResponse } from "../../model/wire.ts";
import { figure, saying } from "../shared/told.ts";

export function tells({ headers }: WireResponse): Told | undefined {
  const at = (name: string): number | undefined => figure(headers[`x-hubspot-ratelimit-${name}`]);
  const window = saying<NonNullable<Told["window"]>>({
    most: at("max"),
    left: at("remaining"),
    perMs: at("interval-milliseconds"),
  });
  const left = at("daily-remaining");
  const day = left === undefined ? undefined : saying<NonNullable<Told["day"]>>({ most: at("daily"), left });
  return saying<Told>({ window, day });
}
