/** The switches of the HubSpot sandbox: what a real account or HubSpot itself may decide one way or the other. */

export interface Limits {
  /** Calls in a rolling ten seconds per token. */
  readonly burst: number;
  /** Calls a day per account, to midnight in its time zone. */
  readonly daily: number;
  /** Searches in a rolling second per account. */
  readonly searchPerSecond: number;
}

export interface HubspotSandboxOptions {
  readonly portalId: string;
  readonly timeZone: string;
  /** Static tokens and their scopes. */
  readonly tokens: Readonly<Record<string, readonly string[]>>;
  /** Refresh tokens that POST /oauth/2026-03/token takes. */
  readonly refreshTokens: readonly string[];
  /** Whether a refresh hands out a new refresh token and forgets the old one. */
  readonly rotateRefreshTokens: boolean;
  /** Forces tier 1, 2 or 3 for emails and notes. */
  readonly emailsUnique: "yes" | "no" | "propertiesForbidden";
  /** The connector's own properties are there already, as after `doctor --fix`. */
  readonly prepared: boolean;
  /** Search shows a change after 0 to this many ms. */
  readonly searchLagMs: number;
  readonly limits: Limits | "off";
  /** What becomes of a written hs_email_message_id; undocumented. */
  readonly messageIdProperty: "accept" | "drop" | "reject";
  /** Whether a GET by email finds a contact by its secondary address; undocumented. The 409 always does. */
  readonly secondaryFoundByEmail: boolean;
  /** Whether an archived record still holds its unique value; undocumented. */
  readonly archivedKeepKeys: boolean;
  /** Whether HubSpot makes a company from a new contact's domain (an account setting). */
  readonly autoCompany: boolean;
  /** How the 409 for a taken address names the contact in the way. */
  readonly conflictShape: "text" | "context" | "bare";
  /** How a taken value of a custom unique property is refused on a single create. */
  readonly uniqueConflictStatus: 400 | 409;
  /** A rule of a data-quality administrator (from 2026-09): values of the property that match are refused. */
  readonly validationRules: readonly { object: string; property: string; refuse: string; message: string }[];
  /** Addresses erased on request: no contact can be made of them. */
  readonly blocklist: readonly string[];
  /** Whether HTML comes back spelled another way than it was sent; HubSpot cleans it, and does not say how. */
  readonly respellsHtml: boolean;
  /** For benchmarks: answers at once and keeps next to nothing. No limits, no lag, no faults, no validation beyond the key. */
  readonly instant: boolean;
}

/** The token that works where no other is given. Not a secret: it opens a sandbox. */
export const sandboxToken = "pat-sandbox-0000";

export const allScopes = [
  "oauth",
  "crm.objects.contacts.read",
  "crm.objects.contacts.write",
  "crm.objects.companies.read",
  "crm.objects.companies.write",
  "crm.objects.deals.read",
  "crm.objects.deals.write",
  "crm.objects.owners.read",
  "crm.schemas.contacts.read",
  "crm.schemas.contacts.write",
  "crm.schemas.companies.read",
  "crm.schemas.companies.write",
  "crm.schemas.deals.read",
  "crm.schemas.deals.write",
  "sales-email-read",
] as const;

export const defaultOptions: HubspotSandboxOptions = {
  portalId: "48000001",
  timeZone: "Europe/Berlin",
  tokens: { [sandboxToken]: allScopes },
  refreshTokens: [],
  rotateRefreshTokens: false,
  emailsUnique: "yes",
  prepared: false,
  searchLagMs: 30_000,
  limits: { burst: 100, daily: 250_000, searchPerSecond: 5 },
  messageIdProperty: "accept",
  secondaryFoundByEmail: false,
  archivedKeepKeys: true,
  autoCompany: false,
  conflictShape: "text",
  uniqueConflictStatus: 400,
  validationRules: [],
  blocklist: [],
  respellsHtml: true,
  instant: false,
};
