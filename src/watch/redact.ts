/** The second line of defence of every log line: addresses, tokens and known secrets are masked, values bounded, control characters gone. */

const maxValueChars = 1_024;
/** A shorter secret would mask ordinary words. */
const leastSecretChars = 6;
const secrets = new Set<string>();

/** From now on this value stands in no log line of this process, whatever field it comes in. */
export function registerSecret(value: string): void {
  if (value.length >= leastSecretChars) secrets.add(value);
}

const patterns: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic|zoho-oauthtoken)\s+[\w.~+/=-]{6,}/gi, "$1 ***"],
  [/\bpat-[a-z0-9]+-[\w-]{8,}/gi, "pat-***"],
  // The local part of an address is the person; the domain helps the operator and stays.
  [/[^\s<>"'(),:;@[\]\\]+@([a-z0-9][a-z0-9.-]*\.[a-z]{2,})/gi, "***@$1"],
  [/\+\d[\d ().-]{7,18}\d/g, "+***"],
  [/\b[0-9a-f]{48,}\b/gi, "***"],
];

/** One value made safe to stand in a line of the log. */
export function redact(text: string): string {
  let safe = text.length > maxValueChars ? `${text.slice(0, maxValueChars).toWellFormed()}...` : text;
  for (const secret of secrets) safe = safe.replaceAll(secret, "***");
  for (const [pattern, mask] of patterns) safe = safe.replaceAll(pattern, mask);
  return plain(safe);
}

/** A Message-ID is the correlation id: it looks like an address and is none. Bounded and cleaned only. */
export function messageIdField(text: string): string {
  return plain(text.slice(0, 250).toWellFormed());
}

function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to go
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, " ");
}
