/** The REFERENCES algorithm of RFC 5256 §3, as far as it says which messages are one thread: steps 1 to 3 and 5. */
import type { CanonicalEvent } from "../../model/event.ts";

type Mail = Pick<CanonicalEvent, "message">;

interface Container {
  /** Undefined for a dummy: an id that is only referenced. */
  mail: Mail | undefined;
  parent: Container | undefined;
  readonly children: Set<Container>;
}

/** The thread of each message. */
export function rfc5256(mails: readonly Mail[]): string[] {
  const { own, all } = linked(mails);
  // (2) and (3): those without parents, and of dummies that have no message at all nothing.
  const roots = [...all].filter(({ parent }) => parent === undefined).flatMap(prunedRoot);
  const threads = gathered(roots);
  const names = new Map<Container, string>();
  for (const [index, members] of threads.entries())
    for (const root of members) for (const container of within(root)) names.set(container, String(index));
  return own.map((container) => names.get(container) ?? "");
}

/** (1) Every message and every id that one references, each under its parent. */
function linked(mails: readonly Mail[]): { own: Container[]; all: Set<Container> } {
  const byId = new Map<string, Container>();
  const all = new Set<Container>();
  const empty = (): Container => {
    const container: Container = { mail: undefined, parent: undefined, children: new Set() };
    all.add(container);
    return container;
  };
  const referenced = (id: string): Container => {
    const known = byId.get(id) ?? empty();
    byId.set(id, known);
    return known;
  };
  const own = mails.map((mail) => {
    const id = mail.message.message_id;
    const known = id === null ? undefined : byId.get(id);
    // A message without an id, or with one that another has already, counts as having one of its own.
    const container = id === null || known?.mail !== undefined ? empty() : referenced(id);
    container.mail = mail;
    const { references, in_reply_to: answered } = mail.message;
    const named = references.length > 0 ? references : answered === null ? [] : [answered];
    const line = named.map(referenced);
    // (1)(A) Links between them, where none is there already and none would make a loop.
    for (const [at, child] of line.entries()) {
      const parent = line[at - 1];
      if (parent !== undefined && child.parent === undefined) adopt(parent, child);
    }
    // (1)(B) The last of them is the parent, whatever was thought before.
    const last = line.at(-1);
    if (last !== undefined && last !== container && !isUnder(last, container)) {
      container.parent?.children.delete(container);
      container.parent = undefined;
      adopt(last, container);
    }
    return container;
  });
  return { own, all };
}

function adopt(parent: Container, child: Container): void {
  if (parent === child || isUnder(parent, child)) return;
  child.parent = parent;
  parent.children.add(child);
}

function isUnder(container: Container, other: Container): boolean {
  for (let up = container.parent; up !== undefined; up = up.parent) if (up === other) return true;
  return false;
}

/** (3) A dummy stays at the root only where it holds several children together. */
function prunedRoot(root: Container): Container[] {
  const children = [...root.children].flatMap(pruned);
  root.children.clear();
  for (const child of children) root.children.add(child);
  if (root.mail !== undefined) return [root];
  return children.length <= 1 ? children : [root];
}

function pruned(container: Container): Container[] {
  const children = [...container.children].flatMap(pruned);
  if (container.mail === undefined) return children;
  container.children.clear();
  for (const child of children) container.children.add(child);
  return [container];
}

/** (5) Roots with the same base subject go together; what is under what makes no difference to who is with whom. */
function gathered(roots: readonly Container[]): Container[][] {
  const bySubject = new Map<string, Container[]>();
  const threads: Container[][] = [];
  for (const root of roots) {
    const subject = baseSubject((root.mail ?? earliest([...root.children]))?.message.subject ?? "");
    const known = subject === "" ? undefined : bySubject.get(subject);
    if (known !== undefined) {
      known.push(root);
      continue;
    }
    const thread = [root];
    threads.push(thread);
    if (subject !== "") bySubject.set(subject, thread);
  }
  return threads;
}

/** (4) Siblings are in the order in which they were sent. */
function earliest(children: readonly Container[]): Mail | undefined {
  const sent = ({ mail }: Container): number => Date.parse(mail?.message.date ?? "") || 0;
  return [...children].sort((one, other) => sent(one) - sent(other))[0]?.mail;
}

function* within(root: Container): Generator<Container> {
  yield root;
  for (const child of root.children) yield* within(child);
}

const leader = /^(?:(?:re|fwd?)\s*(?:\[[^[\]]*\]\s*)?:|\s+)/i;
const blob = /^\[[^[\]]*\]\s*/;
const trailer = /(?:\(fwd\)|\s+)$/i;

/** RFC 5256 §2.1. */
export function baseSubject(subject: string): string {
  let text = subject.replace(/\s+/g, " ");
  for (;;) {
    while (trailer.test(text)) text = text.replace(trailer, "");
    for (let before = ""; before !== text; ) {
      before = text;
      text = text.replace(leader, "");
      const bare = text.replace(blob, "");
      // A blob is taken off where something is left without it.
      if (bare !== "") text = bare;
    }
    const forwarded = /^\[fwd:(.*)\]$/i.exec(text)?.[1];
    if (forwarded === undefined) return text.toUpperCase();
    text = forwarded;
  }
}
