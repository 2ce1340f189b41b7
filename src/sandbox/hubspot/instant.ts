/** The benchmark's HubSpot: knows who and how often, keeps no bodies, and costs next to no time. */
import type { HubspotSandbox } from "../hubspot.ts";
import type { SandboxReply, SandboxRequest } from "../sandbox.ts";
import type { HubspotSandboxOptions } from "./options.ts";
import type { SandboxState } from "./state.ts";

const json = { "content-type": "application/json" } as const;
const prefix = "/crm/objects/2026-03/";
const firstId = 37_765_000_000;
const notFoundBody = '{"status":"error","category":"OBJECT_NOT_FOUND","message":"Object not found."}';
const takenBody =
  '{"status":"error","category":"VALIDATION_ERROR","message":"[{\\"error\\":\\"CONFLICTING_UNIQUE_VALUE\\"}]"}';

/** Contacts by address and emails by key; the calls of the warm and the cold road, nothing else. */
export function openInstant(options: HubspotSandboxOptions): HubspotSandbox {
  let contacts = new Map<string, number>();
  let emails = new Map<string, number>();
  let lastId = firstId;
  let calls = 0;
  const record = (status: number, id: number, email = ""): SandboxReply => ({
    status,
    headers: json,
    body: `{"id":"${id}","properties":{"email":${JSON.stringify(email)}}}`,
  });
  const absent: SandboxReply = { status: 404, headers: json, body: notFoundBody };

  function create(path: string, body: string): SandboxReply {
    if (path === `${prefix}contacts`) {
      const email = propertyIn(body, "email").toLowerCase();
      const known = contacts.get(email);
      if (known !== undefined) {
        return {
          status: 409,
          headers: json,
          body: `{"status":"error","category":"CONFLICT","message":"Contact already exists. Existing ID: ${known}"}`,
        };
      }
      contacts.set(email, ++lastId);
      return record(201, lastId);
    }
    if (path === `${prefix}emails`) {
      const key = propertyIn(body, "mailwright_key");
      if (emails.has(key)) return { status: 400, headers: json, body: takenBody };
      emails.set(key, ++lastId);
      return record(201, lastId);
    }
    return absent;
  }

  function read(path: string): SandboxReply {
    const [bare = "", query = ""] = path.split("?");
    if (bare.startsWith("/crm/properties/")) {
      const name = bare.slice(bare.lastIndexOf("/") + 1);
      return { status: 200, headers: json, body: `{"name":"${name}","hasUniqueValue":${name === "mailwright_key"}}` };
    }
    if (bare.startsWith("/account-info/")) {
      return { status: 200, headers: json, body: `{"portalId":${options.portalId},"timeZone":"${options.timeZone}"}` };
    }
    const table = bare.startsWith(`${prefix}contacts/`)
      ? contacts
      : bare.startsWith(`${prefix}emails/`)
        ? emails
        : undefined;
    if (table === undefined || !query.includes("idProperty=")) return absent;
    const value = decodeURIComponent(bare.slice(bare.lastIndexOf("/") + 1));
    const id = table.get(value);
    return id === undefined ? absent : record(200, id, value);
  }

  function answer({ method, path, body }: SandboxRequest): SandboxReply {
    calls++;
    if (method === "GET") return read(path);
    if (method === "POST") return create(path, body);
    return { status: 200, headers: json, body: "{}" };
  }

  const notHere = (): never => {
    throw new Error("the instant sandbox only counts; use one without `instant`");
  };
  return {
    handle: async (request) => answer(request),
    state(): SandboxState {
      const counts = {
        contacts: contacts.size,
        companies: 0,
        deals: 0,
        emails: emails.size,
        notes: 0,
        tasks: 0,
        tickets: 0,
      };
      const none = { companies: [], deals: [], notes: [] };
      return { portalId: options.portalId, calls, held: 0, counts, keys: {}, contacts: [], emails: [], ...none };
    },
    tables: () => [],
    faults: { plan: notHere, clear: () => undefined },
    get actors() {
      return notHere();
    },
    revoke: notHere,
    log: [],
    release: () => 0,
    whenHeld: async () => undefined,
    reset() {
      contacts = new Map();
      emails = new Map();
      lastId = firstId;
      calls = 0;
    },
  };
}

/** The value of a property in a JSON text, without parsing the bodies around it: keys and addresses hold nothing that JSON escapes. */
function propertyIn(body: string, name: string): string {
  const mark = `"${name}":"`;
  const start = body.lastIndexOf(mark);
  return start === -1 ? "" : body.slice(start + mark.length, body.indexOf('"', start + mark.length));
}
