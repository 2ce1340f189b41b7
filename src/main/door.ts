/** What the HTTP door needs to hand out files: links, rows, stores, and who may sign in, as the settings say. */
import { type HttpOptions, openSessions } from "../http/index.ts";
import type { Stores } from "../model/blob.ts";
import type { Files } from "../model/files.ts";
import type { PreviewOfFile } from "../model/preview.ts";
import type { Ground } from "./ground.ts";

const dayMs = 86_400_000;

/** Without `http.public_url` there is nothing to hand out, and nobody needs to sign in. */
export function openDoor(
  { settings, links, operatorKey, clock, log, metrics }: Omit<Ground, "ledger" | "stores">,
  files: Pick<Files, "files" | "audit" | "auditOpening">,
  stores: Pick<Stores, "of">,
  previewOf?: PreviewOfFile,
): Pick<HttpOptions, "host" | "port" | "trustedProxies" | "files" | "operators"> {
  const { host, port, public_url: publicUrl, trusted_proxies: trustedProxies } = settings.http;
  const listen = { host, port, trustedProxies };
  if (links === undefined || publicUrl === undefined) return listen;
  const { protocol, pathname } = new URL(publicUrl);
  const base = pathname.replace(/\/+$/, "");
  const operators = settings.http.operators.map(({ name, password_hash }) => ({ name, passwordHash: password_hash }));
  const secure = protocol === "https:";
  const path = base === "" ? "/" : base;
  const sessions =
    operators.length === 0 ? undefined : openSessions({ key: operatorKey, operators, secure, path }, clock);
  const { refresh_days, ttl } = settings.links;
  const shared = { files, base, clock, log };
  return {
    ...listen,
    files: { ...shared, links, stores, metrics, sessions, previewOf, refreshMs: refresh_days * dayMs, freshMs: ttl },
    operators: sessions === undefined ? undefined : { ...shared, sessions, operators },
  };
}
