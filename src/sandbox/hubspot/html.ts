/** HTML as it comes back after HubSpot cleaned it: the same to a reader, and spelled another way. Which way is guessed (FIDELITY.md). */

/** Links get attributes, tags without an end their slash, and characters that need no reference lose it. */
export function respelled(html: string): string {
  return html
    .replace(/<a href=/g, '<a rel="noopener noreferrer" target="_blank" href=')
    .replace(/<br>/g, "<br />\n")
    .replace(/&#39;/g, "'")
    .replace(/&quot;(?=[^<>]*(?:<|$))/g, '"');
}
