/** Where mailboxes of large providers are, and where and for what one signs in to them: data, with the day it was checked. */

export interface MailProvider {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The provider's own pages. */
  readonly docs: readonly string[];
  /** YYYY-MM-DD. */
  readonly checked: string;
}

/**
 * `{tenant}` stands for the directory of the organisation. Client credentials open mailboxes that an administrator has named in Exchange
 * (New-ServicePrincipal, Add-MailboxPermission); their one scope says "what was granted". A person signs in for her own mailbox with the other.
 */
export const microsoft365 = {
  name: "Microsoft 365",
  host: "outlook.office365.com",
  port: 993,
  docs: [
    "https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth",
    "https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code",
  ],
  checked: "2026-11-29",
  tokenUrl: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
  deviceUrl: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/devicecode",
  appScope: "https://outlook.office365.com/.default",
  personScope: "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
} as const satisfies MailProvider & Record<string, unknown>;

/**
 * A service account with domain-wide delegation may ask for the narrower scope, which shows all labels and all messages whatever the user
 * chose to show by IMAP; a person's refresh token is for the whole mailbox.
 */
export const googleWorkspace = {
  name: "Google Workspace",
  host: "imap.gmail.com",
  port: 993,
  docs: [
    "https://developers.google.com/workspace/gmail/imap/xoauth2-protocol",
    "https://developers.google.com/identity/protocols/oauth2/service-account",
  ],
  checked: "2026-11-29",
  tokenUrl: "https://oauth2.googleapis.com/token",
  delegatedScope: "https://www.googleapis.com/auth/gmail.imap_admin",
  /** Seconds; an hour is the most that is taken. */
  assertionSeconds: 3_600,
} as const satisfies MailProvider & Record<string, unknown>;
