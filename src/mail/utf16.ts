/**
 * Whole letters alone: Node's own decoder (24.21) writes behind the end of its memory where bytes begin at an odd place and are odd in number, and
 * what stands in files of a mail is what its sender wants.
 */
export const utf16le = (bytes: Buffer, from = 0): string =>
  bytes.subarray(from, from + ((bytes.length - from) & ~1)).toString("utf16le");
