/** Notes as they come back after Pipedrive sanitised them: without what may run, and spelled another way. Which way is guessed (FIDELITY.md). */

/** Comments, scripts, styles and attributes go; a link keeps where it leads. */
export function sanitised(html: string): string {
  return html
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/<(script|style|iframe)\b[\s\S]*?(<\/\1\s*>|$)/gi, "")
    .replace(/<([a-z][a-z0-9]*)\b([^<>]*)>/gi, (_tag, name: string, rest: string) => {
      const href = name.toLowerCase() === "a" ? /\bhref="(https?:[^"]*|mailto:[^"]*)"/i.exec(rest)?.[1] : undefined;
      return href === undefined ? `<${name}${/\/\s*$/.test(rest) ? " /" : ""}>` : `<${name} href="${href}">`;
    });
}

/** The same to a reader. */
export function respelled(html: string): string {
  return html
    .replace(/<a href="/g, '<a rel="noopener noreferrer" target="_blank" href="')
    .replace(/<br>/g, "<br />")
    .replace(/&#39;/g, "'");
}
