/** The switches of the Pipedrive sandbox: what a real account or Pipedrive itself may decide one way or the other. */

export interface Limits {
  /** Calls in a rolling two seconds per token. */
  readonly burst: number;
  /** Searches in a rolling two seconds per token. */
  readonly searches: number;
  /** Tokens of the whole company a day, to midnight in UTC. */
  readonly dailyTokens: number;
}

export interface SandboxUser {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly isAdmin: boolean;
}

export interface PipedriveSandboxOptions {
  readonly companyId: number;
  readonly companyDomain: string;
  /** API tokens and the user whose they are. */
  readonly tokens: Readonly<Record<string, number>>;
  /** An app that the company has let in, and the user who did so. */
  readonly app: {
    readonly clientId: string;
    readonly clientSecret: string;
    readonly refreshToken: string;
    readonly user: number;
    /** As the token's answer names it; else the address by which it was asked. */
    readonly apiDomain?: string;
  };
  readonly users: readonly SandboxUser[];
  /** Names of pipelines, each with the names of its stages, in their order. */
  readonly pipelines: readonly { readonly name: string; readonly stages: readonly string[] }[];
  /** Their key_strings; an account's people can change them. */
  readonly activityTypes: readonly string[];
  /** The connector's own fields are there already, as after `doctor --fix`. */
  readonly prepared: boolean;
  /** Searches show a change after 0 to this many ms. */
  readonly searchLagMs: number;
  readonly limits: Limits | "off";
  /** Whether answers carry the headers of the daily budget; people report both. */
  readonly dailyHeaders: boolean;
  /** What becomes of a custom field that the account does not have; undocumented. */
  readonly unknownField: "reject" | "ignore";
  /** What becomes of a record that hangs on a deleted one; undocumented. */
  readonly goneTarget: "reject" | "accept";
  /** Whether a list of activities by person shows those in which it takes part, or only those whose first person it is; undocumented. */
  readonly activitiesOf: "participants" | "primary";
  /** Whether a deleted record can still be read by its id; undocumented. */
  readonly readsDeleted: boolean;
  /** Whether notes come back spelled another way than they were sent; Pipedrive sanitises them, and does not say how. */
  readonly respellsNotes: boolean;
  /** Open deals that the plan has room for. */
  readonly openDeals: number;
}

/** The token that works where no other is given. Not a secret: it opens a sandbox. */
export const sandboxToken = "pipedrive-sandbox-0000";

/** The app that works where no other is given. */
export const sandboxApp = {
  clientId: "pipedrive-sandbox-app",
  clientSecret: "pipedrive-sandbox-secret",
  refreshToken: "pipedrive-sandbox-refresh",
} as const;

export const defaultOptions: PipedriveSandboxOptions = {
  companyId: 7_000_001,
  companyDomain: "acme-sandbox",
  tokens: { [sandboxToken]: 11 },
  app: { ...sandboxApp, user: 11 },
  users: [
    { id: 11, name: "Inga Admin", email: "inga@acme.test", isAdmin: true },
    { id: 12, name: "Sam Seller", email: "sam@acme.test", isAdmin: false },
  ],
  pipelines: [
    {
      name: "Pipeline",
      stages: ["Qualified", "Contact Made", "Demo Scheduled", "Proposal Made", "Negotiations Started"],
    },
    { name: "Renewals", stages: ["Due", "Offered"] },
  ],
  activityTypes: ["call", "meeting", "task", "deadline", "email", "lunch"],
  prepared: false,
  searchLagMs: 30_000,
  limits: { burst: 20, searches: 10, dailyTokens: 30_000 },
  dailyHeaders: true,
  unknownField: "reject",
  goneTarget: "reject",
  activitiesOf: "primary",
  readsDeleted: true,
  respellsNotes: true,
  openDeals: Number.POSITIVE_INFINITY,
};
