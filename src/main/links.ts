/** Signed links as the settings want them: a key for each key id, all of them from the master key. */
import { derivedKey } from "../blobs/index.ts";
import { openLinks } from "../mapping/links.ts";
import type { Links } from "../model/links.ts";
import type { Settings } from "../settings/index.ts";

/** Undefined without `http.public_url`: then there is nothing that a link could lead to. */
export function openSettingsLinks({ http, links }: Settings, master: string | Uint8Array): Links | undefined {
  if (http.public_url === undefined) return undefined;
  const ids = [links.key_id, ...links.former_key_ids];
  const keys = new Map(ids.map((id) => [id, derivedKey(master, `attachment link ${id}`)]));
  return openLinks({ publicUrl: http.public_url, ttlMs: links.ttl, keyId: links.key_id, keys });
}
