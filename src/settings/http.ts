/** The HTTP door and what it shows to people: where it is, who may sign in, and how long links to files are good. */
import { z } from "zod";
import { isNetwork } from "./networks.ts";
import { duration } from "./units.ts";

/** A secret in a URL would stand in every link. */
function isBare(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && [url.username, url.password, url.search, url.hash].every((part) => part === "");
}

/** As `mailwright config hash-password` prints it: cost as a power of two, block size, lanes, salt, hash (src/http/password.ts). */
const passwordHash = /^scrypt\$1[4-8]\$8\$[1-8]\$[\w-]{22}\$[\w-]{43}$/;

const operator = z.strictObject({
  name: z
    .string()
    .regex(/^[\p{L}\p{N}](?:[\p{L}\p{N} ._@+-]{0,62}[\p{L}\p{N}])?$/u, {
      error: "up to 64 letters, digits, spaces or . _ @ + -, beginning and ending with a letter or digit",
    })
    .describe("What the person signs in with, and is named by in the audit trail."),
  password_hash: z
    .string()
    .regex(passwordHash, { error: "what `mailwright config hash-password` prints" })
    .meta({ secret: true })
    .describe(
      "What `mailwright config hash-password` prints for the password. Changing it ends every session of this person.",
    ),
});

export const http = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .default("127.0.0.1")
      .describe(
        "Address to listen on. Health and metrics have no login of their own: keep it on loopback or behind a proxy.",
      ),
    port: z.int().min(0).max(65_535).default(8025).describe("Port to listen on; 0 picks a free one and logs it."),
    public_url: z
      .url({ protocol: /^https?$/, error: "an http: or https: URL" })
      .max(200)
      .refine(isBare, { error: "a URL without user, password, query or fragment" })
      .optional()
      .describe(
        "Where people reach this door from outside (https://mail.example.com): with it the CRM gets a link to each file. Without it files are listed by name.",
      ),
    trusted_proxies: z
      .array(z.string().refine(isNetwork, { error: "an address or a network (192.0.2.0/24, 2001:db8::/32)" }))
      .max(100)
      .default([])
      .describe(
        "Proxies in front of this door whose X-Forwarded-For is believed, so that the audit trail and the limits know the client. Empty: the header means nothing.",
      ),
    operators: z
      .array(operator)
      .max(100)
      .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, {
        error: "a name that two operators have: each needs one of their own",
      })
      .default([])
      .describe("Who may sign in, to get a fresh link in the place of one that has expired."),
  })
  .describe("The HTTP door: /livez, /readyz, /metrics, and the links to files.");

const keyId = z.string().regex(/^[A-Za-z0-9_-]{1,32}$/, { error: "1 to 32 letters, digits, - or _" });

export const links = z
  .strictObject({
    ttl: duration
      .refine((ms) => ms >= 60_000 && ms <= 100 * 365 * 86_400_000, { error: "between 1m and 36500d" })
      .prefault("365d")
      .describe("How long a link is good, counted from when the mail was received."),
    refresh_days: z
      .int()
      .min(0)
      .max(36_500)
      .default(0)
      .describe(
        "Whoever holds an expired link gets a fresh one while the file is younger than this many days. 0: only operators who sign in do.",
      ),
    key_id: keyId
      .default("1")
      .describe("Name of the key that signs. Give it another name to sign with another key from then on."),
    former_key_ids: z
      .array(keyId)
      .max(20)
      .default([])
      .describe(
        "Names of earlier keys whose links are still good. A name that is in neither makes its links worthless, at once.",
      ),
  })
  .refine(({ key_id, former_key_ids }) => !former_key_ids.includes(key_id), {
    error: "it is the present key_id: name there only earlier ones",
    path: ["former_key_ids"],
  })
  .describe("Signed links to files (docs/attachments.md).");
