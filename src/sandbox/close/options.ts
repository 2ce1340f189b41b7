/** The switches of the Close sandbox: what a real organization or Close itself may decide one way or the other. */

export interface Limits {
  /** Calls of one kind (path and method) for each key; the organization has three times as many. */
  readonly calls: number;
  readonly perMs: number;
  /** A 429 comes this many calls before the header says so. */
  readonly early: number;
}

export interface Status {
  readonly id: string;
  readonly label: string;
  readonly type: "active" | "won" | "lost";
}

export interface CloseSandboxOptions {
  readonly organizationId: string;
  readonly keys: readonly string[];
  /** The connector's own custom fields are there already, as after `doctor --fix`. */
  readonly prepared: boolean;
  /** Search shows a change after 0 to this many ms. */
  readonly searchLagMs: number;
  readonly limits: Limits | "off";
  /** What becomes of the times that a logged e-mail is given; undocumented. */
  readonly dates: "ms" | "seconds" | "ignored";
  /** Whether a list of e-mails takes filters by time; one that it does not know is left out. */
  readonly dateFilters: boolean;
  /** Whether search takes a custom field in this shape; otherwise 400. */
  readonly customFieldSearch: boolean;
  /** What a path without its slash at the end is answered with. */
  readonly withoutSlash: "redirect" | "missing";
  /** What the id of a lead that was merged into another leads to; undocumented. */
  readonly mergedLead: "gone" | "survivor";
  /** Routes whose calls the plan has no more room for (402), or that the key's user may not make (403). */
  readonly overPlan: readonly string[];
  readonly forbidden: readonly string[];
  readonly users: readonly { readonly id: string; readonly email: string }[];
  readonly pipelines: readonly { readonly id: string; readonly name: string; readonly statuses: readonly Status[] }[];
}

/** The key that works where no other is given. Not a secret: it opens a sandbox. */
export const sandboxKey = "api_sandbox0000.closesandbox";

export const defaultOptions: CloseSandboxOptions = {
  organizationId: "orga_Sandbox0001",
  keys: [sandboxKey],
  prepared: false,
  searchLagMs: 60_000,
  limits: { calls: 60, perMs: 5_000, early: 0 },
  dates: "ms",
  dateFilters: true,
  customFieldSearch: true,
  withoutSlash: "redirect",
  mergedLead: "gone",
  overPlan: [],
  forbidden: [],
  users: [{ id: "user_Sandbox0001", email: "sales@sandbox.example" }],
  pipelines: [
    {
      id: "pipe_Sandbox0001",
      name: "Sales",
      statuses: [
        { id: "stat_Sandbox0001", label: "Active", type: "active" },
        { id: "stat_Sandbox0002", label: "Proposal", type: "active" },
        { id: "stat_Sandbox0003", label: "Won", type: "won" },
        { id: "stat_Sandbox0004", label: "Lost", type: "lost" },
      ],
    },
  ],
};

/** Of the connector, by object. */
export const preparedFields = {
  lead: ["Mailwright company"],
  contact: ["Mailwright flags", "Mailwright key"],
  opportunity: ["Mailwright key"],
} as const;
