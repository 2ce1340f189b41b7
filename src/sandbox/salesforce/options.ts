/** The switches of the Salesforce sandbox: what a real org or Salesforce itself may decide one way or the other. */

export interface ConnectedApp {
  readonly clientId: string;
  /** Of the client credentials flow. */
  readonly clientSecret?: string;
  /** Whether a run-as user is set: without one the client credentials flow is refused. */
  readonly runAs: boolean;
  /** Of the JWT bearer flow: the certificate's public key as PEM, and who is pre-authorised. */
  readonly publicKey?: string;
  readonly approved?: readonly string[];
}

export interface Stage {
  readonly name: string;
  readonly closed: boolean;
  readonly won: boolean;
}

export interface DuplicateRule {
  readonly object: "Contact" | "Lead" | "Account";
  /** `alert` lets a call pass that says allowSave=true, `block` none. */
  readonly action: "alert" | "block";
  /** Which objects hold what it compares with. */
  readonly against: readonly ("Contact" | "Lead" | "Account")[];
  /** How it compares: the same address, the same last name, the same name of an account. */
  readonly by: "Email" | "LastName" | "Name";
  /** The vendor's own spelling differs by version; sometimes nothing is there. */
  readonly shape: "duplicateResut" | "duplicateResult" | "absent";
}

export interface SalesforceSandboxOptions {
  readonly organizationId: string;
  readonly apps: readonly ConnectedApp[];
  /** Who may be meant by `aud`: the login hosts. The host that is called may be too. */
  readonly audiences: readonly string[];
  /** How long a session lasts: the org's policy. */
  readonly sessionMs: number;
  /** The package of deploy/salesforce is there and its permission set assigned. */
  readonly prepared: boolean;
  /** Whether the run-as user has the permission set; without it deployed fields cannot be seen, nor contacts, leads, accounts, opportunities. */
  readonly permitted: boolean;
  /** Objects that the user may not see, permission set or not. */
  readonly hidden: readonly string[];
  /** Whether an External ID of EmailMessage may be unique; undocumented. */
  readonly emailUnique: boolean;
  /** Enhanced Email or Email-to-Case is on: without either there is no EmailMessage. */
  readonly enhancedEmail: boolean;
  /** How DUPLICATE_VALUE names the record in the way. */
  readonly takenBy: "id18" | "id15" | "unknown";
  /** Whether a record in the recycle bin still holds its unique value; undocumented. */
  readonly deletedKeepKeys: boolean;
  readonly duplicateRules: readonly DuplicateRule[];
  /** An administrator's validation rules: values of the field that match are refused. */
  readonly validationRules: readonly { object: string; field: string; refuse: string; message: string }[];
  /** Fields that an administrator has made required. */
  readonly required: readonly { object: string; field: string }[];
  /** API calls in a rolling 24 hours; those of other apps count too (actors.othersCall). */
  readonly dailyCalls: number;
  /** Two writes that touch one Account within this time: the second is UNABLE_TO_LOCK_ROW. */
  readonly lockMs: number;
  /** What describe says of TextBody and HtmlBody. */
  readonly bodyChars: number;
  readonly stages: readonly Stage[];
  /** Of Opportunity; `Master` is there in every org. */
  readonly recordTypes: readonly { name: string; developerName: string }[];
  readonly users: readonly { email: string; name: string; active: boolean }[];
  /** Rows that one answer to a query holds. */
  readonly queryBatch: number;
  readonly isSandbox: boolean;
}

/** The app that works where no other is given. Not a secret: it opens a sandbox. */
export const sandboxApp: ConnectedApp = {
  clientId: "3MVG9.sandbox",
  clientSecret: "sandbox-secret-0000",
  runAs: true,
};

const stage = (name: string, closed = false, won = false): Stage => ({ name, closed, won });

export const defaultOptions: SalesforceSandboxOptions = {
  organizationId: "00D8a0000004CfQEAU",
  apps: [sandboxApp],
  audiences: ["https://login.salesforce.com"],
  sessionMs: 7_200_000,
  prepared: false,
  permitted: true,
  hidden: [],
  emailUnique: true,
  enhancedEmail: true,
  takenBy: "id18",
  deletedKeepKeys: true,
  duplicateRules: [],
  validationRules: [],
  required: [],
  dailyCalls: 100_000,
  lockMs: 0,
  bodyChars: 32_000,
  stages: [
    stage("Prospecting"),
    stage("Qualification"),
    stage("Needs Analysis"),
    stage("Proposal/Price Quote"),
    stage("Negotiation/Review"),
    stage("Closed Won", true, true),
    stage("Closed Lost", true),
  ],
  recordTypes: [{ name: "New Business", developerName: "New_Business" }],
  users: [{ email: "owner@example.test", name: "Olive Owner", active: true }],
  queryBatch: 2_000,
  isSandbox: false,
};
