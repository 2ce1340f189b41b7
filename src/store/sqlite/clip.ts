/** Words from outside (a vendor's answer, an operator's remark) at a length that a row can bear. */
const longest = 2_000;

export const clip = (words: string): string =>
  (words.length <= longest ? words : words.slice(0, longest)).toWellFormed();
