/** The mailboxes that the configuration names. */

import type { Settings } from "../settings/index.ts";
import { accountName, type ImapAccount } from "../sources/imap/context.ts";
import { deviceOf } from "../sources/imap/oauth.ts";

export const mailboxesOf = ({ tenants }: Settings): readonly ImapAccount[] =>
  tenants.flatMap(({ id: tenant, imap }) => imap.map((settings) => ({ tenant, settings })));

/** By its id, or as `tenant/id`. Several where two tenants have one of the same id. */
export const mailboxesNamed = (settings: Settings, name: string): readonly ImapAccount[] =>
  mailboxesOf(settings).filter((account) => account.settings.id === name || accountName(account) === name);

export const mailboxName = accountName;

export const signsInByCode = ({ settings: { oauth } }: ImapAccount): boolean =>
  oauth !== undefined && deviceOf(oauth) !== undefined;
