/** What personal data and credentials look like in running text. Every pattern is linear in the text, however hostile. */

/** Pattern and what stands in its place, in the order in which they are applied. */
export const patterns: readonly (readonly [RegExp, string | ((found: string) => string)])[] = [
  // A private key in PEM, also one that is cut off.
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/gs, "***"],
  // User and password of a URL.
  [/(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@?#]{1,512}@/gi, "$1***@"],
  [/\b(bearer|basic|digest|zoho-oauthtoken)\s+[^\s"',;<>]{6,}/gi, "$1 ***"],
  // `access_token=...`, `"client_secret":"..."`, `password: ...`
  [
    /(token|secret|passw(?:or)?d|pwd|passphrase|api_?-?key|hapikey|access_?-?key|private_?-?key|authorization|signature|cookie)(["']?\s{0,4}[:=]\s{0,4}["']?)[^\s"',;&}]{3,}/gi,
    "$1$2***",
  ],
  // Tokens that vendors mark: HubSpot, Stripe, Slack, GitHub, GitLab, Shopify, AWS, Google, SendGrid, Salesforce, webhooks, JWT.
  [/\bpat-[a-z0-9]{2,8}-[\w-]{8,}/gi, "pat-***"],
  [/\b(?:[spr]k_(?:live|test)|gh[pousr]|github_pat|shp(?:at|ca|pa|ss)|whsec)_[\w+/=]{8,}/g, "***"],
  [/\b(?:xox[abeprs]|glpat)-[\w-]{8,}/g, "***"],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, "***"],
  [/\b(?:AIza|ya29\.|SG\.)[\w.-]{20,}/g, "***"],
  [/\b00D[A-Za-z0-9]{12,15}![\w.]{20,}/g, "***"],
  [/\beyJ[\w-]{8,}\.[\w-]{2,}(?:\.[\w-]*)?/g, "***"],
  // The local part of an address is the person and goes; the domain helps the operator and stays. RFC 5321 §4.1.2 quoted form first.
  [/"(?:[^"\\\r\n]|\\.){1,128}"@/g, "***@"],
  // Not preceded by a slash and followed by a name: `node_modules/@scope/package` is no address.
  [/(?<![^\s<>()[\],;:"@\\])[^\s<>()[\],;:"@\\]+(?<!\/)@(?=[\p{L}\p{N}[]|$)/gu, "***@"],
  // The same within a URL's query, where the at sign is encoded.
  [/(?<![\w.+%-])[\w.+%-]+%(?:25){0,3}40/gi, "***%40"],
  // Written so that it is none to a careless reader: an at sign that is escaped, of double width, of markup, or followed by what nobody sees.
  [
    /(?<![^\s<>()[\],;:"&@\uff20\\])[^\s<>()[\],;:"&@\uff20\\]+(?:\\{1,4}@|\uff20|&#(?:64|x40);|@(?=[\u200b-\u200d\u2060\ufeff]))/giu,
    "***@",
  ],
  // Telephone numbers: international, North American, national with a trunk 0.
  [/(?<![\w.+-])(?:\+|00)[1-9](?:[ ()./-]{0,3}\d){6,14}(?!\d)/g, "***"],
  [/(?<![\w.+-])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?![\w-])/g, "***"],
  [/(?<![\w.:+/-])\(?0\d{1,5}\)?[ /-]{1,3}\d(?:[ /-]{0,3}\d){4,10}(?![\w:-])/g, "***"],
  [/(?<![\w.-])\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{3,7}(?![\w-])/g, (found) => (isCardNumber(found) ? "***" : found)],
  // Keys, digests and tokens without a mark of their own. Identifiers with hyphens (RFC 9562) are shorter between them.
  [/(?<![0-9A-Za-z])[0-9a-f]{32,}(?![0-9A-Za-z])/gi, "***"],
  [/(?<![\w+/-])[A-Za-z0-9+/]{43}=/g, "***"],
  [/(?<![\w/-])[\w-]{40,}(?![\w/-])/g, (found) => (isMixed(found) ? "***" : found)],
];

/** ISO/IEC 7812 check digit (Luhn). */
function isCardNumber(text: string): boolean {
  const digits = [...text.replaceAll(/\D/g, "")].reverse().map(Number);
  const sum = digits.reduce((total, digit, at) => total + (at % 2 === 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0)), 0);
  return sum % 10 === 0;
}

/** Capitals, small letters and digits together: random text rather than a long name. */
function isMixed(text: string): boolean {
  return /[A-Z]/.test(text) && /[a-z]/.test(text) && /\d/.test(text);
}
