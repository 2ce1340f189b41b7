/** Joins the lines of format=flowed text (RFC 3676), which a client broke for the wire. */

/** `delSp`: the space before each break was added, and goes (§4.1). Lines are LF. */
export function unflowed(text: string, delSp: boolean): string {
  let out = "";
  /** Quote depth of the paragraph that goes on; undefined where none does. */
  let open: number | undefined;
  let at = 0;
  while (at < text.length) {
    const newline = text.indexOf("\n", at);
    const end = newline === -1 ? text.length : newline;
    let start = at;
    while (start < end && text[start] === ">") start++;
    const depth = start - at;
    // §4.4: a stuffed space is no part of the line.
    if (text[start] === " ") start++;
    const isSignature = end - start === 3 && text.startsWith("-- ", start);
    // §4.5: a paragraph never goes on at another depth, nor into a signature.
    const goesOn = open === depth && !isSignature;
    if (!goesOn) {
      if (open !== undefined) out += "\n";
      if (depth > 0) out += `${">".repeat(depth)} `;
    }
    const flows = !isSignature && end > start && text[end - 1] === " ";
    out += text.slice(start, flows && delSp ? end - 1 : end);
    open = flows && newline !== -1 ? depth : undefined;
    if (!flows && newline !== -1) out += "\n";
    at = end + 1;
  }
  return open === undefined ? out : `${out}\n`;
}
