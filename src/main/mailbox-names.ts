/** The mailboxes that the configuration names. */

import type { Settings } from "../settings/index.ts";
import { accountName, type ImapAccount } from "../sources/imap/context.ts";
import { deviceOf } from "../sources/imap/oauth.ts";
import type { Looked } from "./mailbox-visits.ts";

export const mailboxesOf = ({ tenants }: Settings): readonly ImapAccount[] =>
  tenants.flatMap(({ id: tenant, imap }) => imap.map((settings) => ({ tenant, settings })));

/** By its id, or as `tenant/id`. Several where two tenants have one of the same id. */
export const mailboxesNamed = (settings: Settings, name: string): readonly ImapAccount[] =>
  mailboxesOf(settings).filter((account) => account.settings.id === name || accountName(account) === name);

export const mailboxName = accountName;

export const signsInByCode = ({ settings: { oauth } }: ImapAccount): boolean =>
  oauth !== undefined && deviceOf(oauth) !== undefined;

export interface Unread {
  readonly folder: string;
  readonly why: "refused" | "unopened" | "missing";
  /** May hold the server's words. */
  readonly reason: string;
}

/** Every folder that was to be looked at and could not be, and why. */
export const unreadOf = ({ unopened, refused, missing }: Looked): readonly Unread[] => [
  ...refused.map(({ name, reason }) => ({ folder: name, why: "refused" as const, reason })),
  ...unopened.map((folder) => ({
    folder,
    why: "unopened" as const,
    reason: "the daemon has not looked at it yet: try again when it has",
  })),
  ...missing.map((folder) => ({ folder, why: "missing" as const, reason: "the server has no such folder" })),
];
