/** An Acorn account in one object: stateful, strict, deterministic. What is documented, observed or guessed: FIDELITY.md. */
import type { Clock, Random } from "../model/ports.ts";
import { edgePage, fixedRandom, openFrame, type Prepared } from "./frame.ts";
import type { Reply, Sandbox, SandboxRequest, SandboxVendor } from "./sandbox.ts";

export const sandboxToken = "acorn-sandbox-token";

const objects = ["people", "companies", "deals", "mails"] as const;
type ObjectName = (typeof objects)[number];
/** The fields that each takes: a request with another one is refused, as at the vendor. */
const fields: Readonly<Record<ObjectName, readonly string[]>> = {
  people: ["key", "email", "name"],
  companies: ["key", "name", "domain"],
  deals: ["key", "name", "stage", "person_ids", "company_id"],
  mails: ["key", "subject", "direction", "at", "text", "html", "person_ids", "company_id"],
};
const maxTextChars = 60_000;

export interface AcornDump {
  readonly id: string;
  readonly archived: boolean;
  readonly [field: string]: unknown;
}
export type AcornState = Readonly<Record<ObjectName, readonly AcornDump[]>>;
type Stored = { id: string; archived: boolean } & Record<string, unknown>;

export interface AcornSandbox extends Sandbox {
  state(): AcornState;
  /** The token stops working. */
  revoke(): void;
  /** Somebody makes a person by hand, without a key of ours. */
  addPerson(email: string, name: string): string;
  /** Somebody changes a record by hand. */
  edit(object: ObjectName, id: string, field: string, value: unknown): void;
}

class Refusal extends Error {
  readonly reply: Reply;
  constructor(status: number, body: object) {
    super(`refused with ${status}`);
    this.reply = json(status, body);
  }
}
const json = (status: number, body: object, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body),
});

export function createAcornSandbox(ports: { clock: Clock; random?: Pick<Random, "unit"> }): AcornSandbox {
  const frame = openFrame({
    clock: ports.clock,
    random: ports.random ?? fixedRandom(),
    open: openAccount,
    prepare: (account, request) => account.prepare(request),
    answer(run) {
      try {
        return run();
      } catch (error) {
        if (error instanceof Refusal) return error.reply;
        throw error;
      }
    },
    edge: edgePage,
    refusal: (status, headers) => json(status, { error: `planned ${status}` }, headers),
    state: ({ state }) => state(),
    tables: ({ state }) =>
      objects.map((name) => ({
        name,
        rows: state()[name].map((record) =>
          Object.fromEntries(Object.entries(record).map(([key, value]) => [key, String(value)])),
        ),
      })),
  });
  return {
    ...frame,
    state: () => frame.account().state(),
    revoke: () => frame.account().revoke(),
    addPerson: (email, name) => frame.account().add("people", { email, name }).id,
    edit: (object, id, field, value) => void Object.assign(frame.account().live(object, id), { [field]: value }),
  };
}

export const acornVendor: SandboxVendor = {
  name: "acorn",
  title: "Acorn",
  about: "An Acorn account: people, companies, deals and mails, each kept single by a key.",
  open: ({ clock }) => createAcornSandbox({ clock }),
  entry: (url) => `base_url: "${url}", token: "${sandboxToken}"`,
};

function openAccount() {
  const records = new Map<ObjectName, Stored[]>(objects.map((name) => [name, []]));
  const tokens = new Set([sandboxToken]);
  let last = 0;
  const all = (object: ObjectName): Stored[] => records.get(object) ?? [];

  function add(object: ObjectName, values: Record<string, unknown>): Stored {
    const made = { id: `${object.slice(0, 2)}_${++last}`, archived: false, ...values };
    all(object).push(made);
    return made;
  }

  function live(object: ObjectName, id: string): Stored {
    const found = all(object).find((record) => record.id === id);
    if (found === undefined) throw new Refusal(404, { error: "There is no such record." });
    return found;
  }

  function create(object: ObjectName, body: Record<string, unknown>): Reply {
    for (const [field, value] of Object.entries(body)) {
      if (!fields[object].includes(field)) throw new Refusal(400, { error: `${object} have no field ${field}.` });
      if (field === "text" && String(value).length > maxTextChars)
        throw new Refusal(400, { error: "The text is too long." });
    }
    for (const id of [body.person_ids ?? []].flat()) live("people", String(id));
    const email = String(body.email ?? "").toLowerCase();
    const taken = all(object).find(
      (other) =>
        !other.archived && (other.key === body.key || (email !== "" && String(other.email).toLowerCase() === email)),
    );
    if (taken !== undefined) throw new Refusal(409, { error: "There is one already.", id: taken.id });
    return json(201, add(object, body));
  }

  function member(mail: Stored, person: string, method: string): Reply {
    const before = (mail.person_ids as string[] | undefined) ?? [];
    const others = before.filter((id) => id !== person);
    mail.person_ids = method === "DELETE" ? others : [...others, live("people", person).id];
    return json(200, mail);
  }

  function prepare(request: SandboxRequest): Prepared {
    const url = new URL(request.path, "http://sandbox.invalid");
    const [version, name = "", id, part, other] = url.pathname.split("/").filter(Boolean).map(decodeURIComponent);
    const object = objects.find((each) => each === name);
    if (version !== "v1" || (object === undefined && name !== "account"))
      return { route: undefined, run: () => json(404, { error: "There is no such page." }) };
    const carryOut = (): Reply => {
      if (object === undefined) return json(200, { id: "acct_1" });
      if (id === undefined && request.method === "POST") return create(object, JSON.parse(request.body));
      if (id === undefined) {
        const fits = (record: Stored): boolean =>
          [...url.searchParams].every(([field, value]) => String(record[field]).toLowerCase() === value.toLowerCase());
        return json(200, { items: all(object).filter((record) => !record.archived && fits(record)) });
      }
      const record = live(object, id);
      if (part === "people" && other !== undefined) return member(record, other, request.method);
      if (request.method === "DELETE") record.archived = true;
      return json(200, record);
    };
    return {
      route: `${name}.${{ POST: "create", DELETE: "delete", PUT: "change" }[request.method] ?? (id === undefined ? "list" : "get")}`,
      run() {
        if (!tokens.has((request.headers.authorization ?? "").replace(/^Bearer /, "")))
          throw new Refusal(401, { error: "Who are you?" });
        return carryOut();
      },
    };
  }

  return {
    prepare,
    add,
    live,
    revoke: () => tokens.clear(),
    state: (): AcornState => ({
      people: all("people"),
      companies: all("companies"),
      deals: all("deals"),
      mails: all("mails"),
    }),
  };
}
