/** The address that a user's own mailer can put into Reply-To, so that whatever answers it joins the thread with certainty. */
import { addressWithToken } from "../mail/thread-token.ts";
import { compileRoutes } from "../settings/index.ts";
import type { Ground } from "./ground.ts";

/** Null where no address of the tenant has room for it. `routes`: the inbound addresses that the thread's mail came by, the best first. */
export function replyAddress(
  { settings, threadTokens }: Pick<Ground, "settings" | "threadTokens">,
  tenant: string,
  threadId: string,
  routes: readonly string[],
): string | null {
  const token = threadTokens.token(tenant, threadId);
  const recipients = settings.tenants.find(({ id }) => id === tenant)?.recipients ?? [];
  if (token === undefined) return null;
  const route = compileRoutes(settings.tenants);
  for (const base of [...routes.map(withoutToken), ...recipients.filter((pattern) => !pattern.startsWith("*"))]) {
    const address = addressWithToken(base, token);
    const answer = address === undefined ? undefined : route(address);
    if (address !== undefined && answer?.kind === "accepted" && answer.tenant === tenant) return address;
  }
  return null;
}

/** It may itself have come by such an address. */
function withoutToken(address: string): string {
  const at = address.lastIndexOf("@");
  const local = address.slice(0, Math.max(0, at));
  const mark = local.toLowerCase().lastIndexOf("+t.");
  return mark < 1 ? address : `${local.slice(0, mark)}${address.slice(at)}`;
}
