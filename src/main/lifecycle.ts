/** After how many days a bucket deletes by itself what our own sweep should have deleted long before. */
import type { ExpiryRule } from "../blobs/index.ts";
import { type BlobClass, renewAfterMs } from "../model/blob.ts";
import type { Settings } from "../settings/index.ts";

const dayMs = 24 * 3600_000;

/**
 * A rule counts from the put, the retention from the last mail that names a content. A content is put again when a mail names it and its put
 * is older than `renewAfterMs`; so the two differ by at most that. As long again for a sweep that could not run.
 */
const contentMarginDays = Math.ceil((2 * renewAfterMs) / dayMs);
/**
 * The raw bytes of a message that is still open (a dead letter, a review) are kept beyond any age, and a bucket knows nothing of that. A year
 * in which nobody decided is taken for the word that nobody will.
 */
const rawMarginDays = 365;

export function lifecycleRules(retention: Settings["retention"], prefix: string): readonly ExpiryRule[] {
  const { raw, attachment, quarantined, preview } = retention;
  const rule = (name: BlobClass, ageMs: number, marginDays: number): ExpiryRule => ({
    class: name,
    prefix: `${prefix}${name}/`,
    days: Math.ceil(ageMs / dayMs) + marginDays,
  });
  return [
    rule("raw", raw, rawMarginDays),
    // Files in quarantine lie among the others, since a verdict changes and a name does not.
    rule("attachment", Math.max(attachment, quarantined), contentMarginDays),
    rule("preview", preview, contentMarginDays),
  ];
}
