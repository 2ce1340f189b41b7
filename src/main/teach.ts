/** What a person's word about one message teaches about its sender: bound to what vouched for the address, never to the address alone. */
import { trustable } from "../mail/trust/acquaintance.ts";
import type { SenderDecision } from "../model/acquaintance.ts";
import type { CanonicalEvent } from "../model/event.ts";
import type { Ground } from "./ground.ts";
import { peopleFor } from "./people.ts";

/** Empty where nothing vouched for the sender and for no stranger: then the one message is let through, and nothing else. */
export function senderDecisions(
  { settings, hasher }: Pick<Ground, "settings" | "hasher">,
  event: CanonicalEvent,
  kind: SenderDecision["kind"],
  { by, at }: { readonly by: string; readonly at: number },
): SenderDecision[] {
  const people = peopleFor(settings).get(event.tenant);
  if (people === undefined) return [];
  const { tenant, event_id: eventId, message, auth: evidence } = event;
  const keyed = (purpose: string, value: string) => hasher.hash(purpose, value);
  return trustable({ tenant, eventId, message, evidence, people, keyed }, by, at).map((each) => ({ ...each, kind }));
}
