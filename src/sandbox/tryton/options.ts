/** The switches of the Tryton sandbox: what a real database may decide one way or the other. */

export interface TrytonSandboxOptions {
  readonly version: string;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly modules: readonly string[];
  /** The connector's own relation types are there already, as after `doctor --fix`. */
  readonly prepared: boolean;
  /** The user's company, and employee of it; null where it has none. */
  readonly company: number | null;
  readonly employee: number | null;
  /** Addresses of the company's employees, in the order of their numbers. */
  readonly employees: readonly string[];
  /** `party.relation.type create`: what the user's groups keep from it. */
  readonly forbidden: readonly string[];
  /** How long a session lives. */
  readonly sessionMs: number;
  /** The numbers with which the records of a model begin; 1 where nothing is said. */
  readonly firstIds: Readonly<Record<string, number>>;
}

/** The login that works where no other is given. Not a secret: it opens a sandbox. */
export const sandboxLogin = { database: "crm", user: "mailwright", password: "sandbox-password" } as const;

export const defaultOptions: TrytonSandboxOptions = {
  version: "6.0.29",
  ...sandboxLogin,
  modules: ["company", "party", "party_relationship", "sale_opportunity"],
  prepared: false,
  company: 1,
  employee: null,
  employees: ["sales@sandbox.example"],
  forbidden: [],
  sessionMs: 30 * 24 * 3_600_000,
  firstIds: {},
};

/** Of the connector. */
export const preparedTypes = ["Works for", "Employs"] as const;
