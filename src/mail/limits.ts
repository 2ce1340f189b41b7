/** How much of a body an event holds; the raw message is whole. */

export const maxTextChars = 1024 * 1024;
export const maxHtmlChars = 2 * 1024 * 1024;
