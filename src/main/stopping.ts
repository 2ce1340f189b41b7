/** How long an end may take. */

/** What is in flight gets this long to be written down; what does not make it stays in the ledger. */
export const stopGraceMs = 10_000;
