/** What Zoho's answers say of its limits: too many calls at once, and in some editions the credits that are left. */
import type { Told } from "../../model/budget.ts";
import type { WireResponse } from "../../model/wire.ts";
import { figure, saying } from "../shared/told.ts";
import { errorsOf } from "./classify.ts";

export function tells(answer: WireResponse): Told | undefined {
  const left = figure(answer.headers["x-api-credits-remaining"]);
  const isCrowded = answer.status === 429 && errorsOf(answer).some(({ code }) => code === "TOO_MANY_REQUESTS");
  return saying<Told>({ day: left === undefined ? undefined : { left }, crowded: isCrowded ? true : undefined });
}
