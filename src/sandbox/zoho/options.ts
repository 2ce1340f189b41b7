/** The switches of the Zoho sandbox: what a real organisation or Zoho itself may decide one way or the other. */

export interface Limits {
  /** Credits of the organisation in a rolling 24 hours. */
  readonly credits: number;
  /** Calls in flight at once. */
  readonly concurrent: number;
}

export interface Stage {
  readonly name: string;
  readonly forecast: "Open" | "Closed Won" | "Closed Lost";
}

export interface Pipeline {
  readonly name: string;
  readonly stages: readonly Stage[];
}

export interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

export interface ZohoSandboxOptions {
  readonly orgId: string;
  readonly edition: "free" | "standard" | "professional" | "enterprise" | "ultimate";
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshTokens: readonly string[];
  readonly scopes: readonly string[];
  /** What the token's answer says of where the API is; the host that was asked where it is not given. */
  readonly apiDomain: string | undefined;
  /** The connector's own fields are there already, as after `doctor --fix`. */
  readonly prepared: boolean;
  /** Whether the edition lets a custom field be unique. */
  readonly uniqueFields: boolean;
  /** Whether fields can be made by the API. */
  readonly fieldsByApi: boolean;
  /** An administrator made the address of contacts and leads unique. */
  readonly emailUnique: boolean;
  /** Search shows a change after 0 to this many ms. */
  readonly searchLagMs: number;
  /** Whether COQL reads the index that lags, or the records themselves; undocumented. */
  readonly coqlLags: boolean;
  /** Whether the DUPLICATE_DATA of a record names the one in the way. */
  readonly duplicateNamesId: boolean;
  /** The status of an answer none of whose rows was written; each is documented somewhere. */
  readonly refusedStatus: 200 | 202 | 400;
  /** What becomes of a field that the module has not; both are seen. */
  readonly unknownFields: "refuse" | "ignore";
  /** Whether associate_email wants a linked_record, takes one, or does not know it; the vendor's papers disagree. */
  readonly linkedRecord: "required" | "optional" | "unknown";
  /** Whether a mail counts as associated by record, or once for the whole organisation; undocumented. */
  readonly mailKey: "record" | "org";
  /** The longest content of a mail. */
  readonly maxContentChars: number;
  readonly pipelines: readonly Pipeline[];
  readonly users: readonly User[];
  /** Fields that a layout makes mandatory: `Deals.Lead_Source`. */
  readonly mandatory: readonly string[];
  readonly limits: Limits | "off";
}

/** What works where nothing else is given. Not secrets: they open a sandbox. */
export const sandboxClient = {
  client_id: "1000.SANDBOXCLIENT",
  client_secret: "sandbox-client-secret",
  refresh_token: "1000.sandbox.refresh0000",
} as const;

export const allScopes = [
  "ZohoCRM.modules.contacts.ALL",
  "ZohoCRM.modules.leads.ALL",
  "ZohoCRM.modules.accounts.ALL",
  "ZohoCRM.modules.deals.ALL",
  "ZohoCRM.modules.emails.ALL",
  "ZohoCRM.settings.fields.ALL",
  "ZohoCRM.users.READ",
  "ZohoCRM.org.READ",
  "ZohoCRM.coql.READ",
] as const;

const open = (name: string): Stage => ({ name, forecast: "Open" });
const ends: readonly Stage[] = [
  { name: "Closed Won", forecast: "Closed Won" },
  { name: "Closed Lost", forecast: "Closed Lost" },
];

export const defaultOptions: ZohoSandboxOptions = {
  orgId: "652000001",
  edition: "enterprise",
  clientId: sandboxClient.client_id,
  clientSecret: sandboxClient.client_secret,
  refreshTokens: [sandboxClient.refresh_token],
  scopes: allScopes,
  apiDomain: undefined,
  prepared: false,
  uniqueFields: true,
  fieldsByApi: true,
  emailUnique: false,
  searchLagMs: 30_000,
  coqlLags: false,
  duplicateNamesId: true,
  refusedStatus: 400,
  unknownFields: "refuse",
  linkedRecord: "optional",
  mailKey: "record",
  maxContentChars: 32_000,
  pipelines: [
    {
      name: "Standard (Standard)",
      stages: [...["Qualification", "Needs Analysis", "Negotiation/Review"].map(open), ...ends],
    },
    { name: "Renewals", stages: [open("Due"), ...ends] },
  ],
  users: [
    { id: "3652397000000281001", name: "Sam Admin", email: "admin@example.test" },
    { id: "3652397000000281002", name: "Olive Owner", email: "owner@example.test" },
  ],
  mandatory: [],
  limits: { credits: 50_000, concurrent: 10 },
};
