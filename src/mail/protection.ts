/** Recognises what is encrypted or signed (S/MIME, PGP). Nothing is decrypted, no signature is verified. */
import type { Part } from "./tree.ts";
import { isWithin } from "./tree.ts";

export interface Protection {
  readonly encrypted: boolean;
  readonly signed: boolean;
}
const none: Protection = { encrypted: false, signed: false };

/** Object identifiers 1.2.840.113549.1.7.n (RFC 5652): what a CMS message is stands in its first bytes, whatever its label says. */
const cmsOid = Buffer.from("2a864886f70d0107", "hex");
const authEnveloped = Buffer.from("2a864886f70d010910", "hex");
const cms = new Set(["application/pkcs7-mime", "application/x-pkcs7-mime"]);

/** `head` is the beginning of the part's content. */
export function protectionOf(part: Part, head: Buffer): Protection {
  const { type, params, filename } = part.head;
  if (cms.has(type) || (type === "application/octet-stream" && /\.p7m$/i.test(filename ?? ""))) {
    return cmsProtection(head, params.get("smime-type")?.toLowerCase());
  }
  if (isWithin(part, "multipart/encrypted") || type === "application/pgp-encrypted")
    return { ...none, encrypted: true };
  const armour = armourOf(head.toString("latin1", 0, 200));
  return /\.(?:pgp|gpg|asc)$/i.test(filename ?? "") && armour.encrypted ? armour : none;
}

function cmsProtection(head: Buffer, label: string | undefined): Protection {
  const start = head.subarray(0, 64);
  const at = start.indexOf(cmsOid);
  const kind = at === -1 ? undefined : start[at + cmsOid.length];
  const enveloped = kind === 3 || start.includes(authEnveloped);
  if (enveloped) return { encrypted: true, signed: false };
  if (kind === 2) return { encrypted: false, signed: label !== "certs-only" };
  if (label === "signed-data") return { encrypted: false, signed: true };
  return { encrypted: label !== "certs-only" && label !== "compressed-data", signed: false };
}

/** Of the tree: RFC 1847 wraps what it protects. */
export function containerProtection(root: Part | undefined): Protection {
  let encrypted = false;
  let signed = false;
  const parts = root === undefined ? [] : [root];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    encrypted ||= part.head.type === "multipart/encrypted";
    signed ||= part.head.type === "multipart/signed";
    parts.push(...part.children);
  }
  return { encrypted, signed };
}

/** PGP in the text itself (RFC 9580 §6.2, §7). */
export function armourOf(text: string): Protection {
  if (!text.includes("-----BEGIN PGP ")) return none;
  return {
    encrypted: /^-----BEGIN PGP MESSAGE-----/m.test(text),
    signed: /^-----BEGIN PGP SIGNED MESSAGE-----/m.test(text),
  };
}

/** What stands for a text that nobody here can read. */
export function markerOf({ encrypted }: Protection): string {
  return encrypted
    ? "[This message is encrypted. It was kept as it came, and not opened.]"
    : "[This message is wrapped in a signature. It was kept as it came, and not opened.]";
}
