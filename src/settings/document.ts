/** YAML text as plain values, with the place of every key and value kept for error messages. */
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from "yaml";
import { formatPath, type Path, type Place, type Problem, pathKey } from "./problems.ts";

/** Where a value stands and, for an entry of a mapping, where its key stands. */
export interface Mark {
  readonly value: Place;
  readonly key: Place;
  /** The expression the value came from, `${env:NAME}`, where it is not literal text. */
  readonly source?: string;
}
export type Marks = Map<string, Mark>;

export interface Reading {
  readonly value: unknown;
  readonly marks: Marks;
  readonly problems: readonly Problem[];
}

/** Far above any real configuration; what stops aliases of aliases from unfolding without end. */
const maxNodes = 100_000;
const maxDepth = 64;

/** Reads one YAML 1.2 document. Mappings have no prototype, so that a key such as `__proto__` is only a key. */
export function readDocument(text: string, file: string): Reading {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { kind: "file", file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const problems = [...document.errors, ...document.warnings].map((error) => ({
    place: place(error.pos[0]),
    path: "",
    ...syntaxWords(error.code, error.message),
  }));
  if (problems.length > 0) return { value: undefined, marks: new Map(), problems };
  return new Walk(document, place).read();
}

/** Turns nodes into values, once per node: an alias is walked again where it is used, so that its values have places of their own. */
class Walk {
  readonly #document: Document.Parsed;
  readonly #place: (offset: number) => Place;
  readonly #marks: Marks = new Map();
  readonly #problems: Problem[] = [];
  #nodes = 0;

  constructor(document: Document.Parsed, place: (offset: number) => Place) {
    this.#document = document;
    this.#place = place;
  }

  read(): Reading {
    const contents = this.#document.contents;
    // An empty file reads as an empty mapping, so that the missing keys are what is told.
    const value = contents === null ? Object.create(null) : this.#value(contents, [], this.#place(0));
    return { value, marks: this.#marks, problems: this.#problems };
  }

  #value(node: unknown, path: Path, key: Place): unknown {
    const at = this.#placeOf(node, key);
    this.#marks.set(pathKey(path), { value: at, key });
    this.#nodes += 1;
    if (this.#nodes > maxNodes || path.length > maxDepth) return this.#stop(at, path);
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      return target === undefined ? this.#refuse(at, path, ...strayAlias(node.source)) : this.#value(target, path, key);
    }
    if (isSeq(node))
      return node.items.map((item, index) => this.#value(item, [...path, index], this.#placeOf(item, at)));
    if (isMap(node)) return this.#mapping(node, path, at);
    return isScalar(node) ? plainScalar(node.value) : null;
  }

  #mapping(node: YAMLMap, path: Path, at: Place): unknown {
    const entries: Record<string, unknown> = Object.create(null);
    for (const { key, value } of node.items) {
      const keyPlace = this.#placeOf(key, at);
      if (!isScalar(key)) this.#refuse(keyPlace, path, "a list or mapping as a key", "plain text as a key");
      else entries[String(key.value)] = this.#value(value, [...path, String(key.value)], keyPlace);
    }
    return entries;
  }

  #placeOf(node: unknown, fallback: Place): Place {
    return isNode(node) && node.range ? this.#place(node.range[0]) : fallback;
  }

  #refuse(place: Place, path: Path, found: string, expected: string): undefined {
    this.#problems.push({ place, path: formatPath(path), found, expected });
    return undefined;
  }

  /** Told once: everything after the first value too many is passed over in silence. */
  #stop(place: Place, path: Path): undefined {
    if (this.#nodes !== Number.POSITIVE_INFINITY) {
      this.#refuse(place, path, "too many or too deeply nested values", `at most ${maxNodes} values, ${maxDepth} deep`);
    }
    this.#nodes = Number.POSITIVE_INFINITY;
    return undefined;
  }
}

/** YAML's big integers and dates have no use here; what is not text, number, boolean or null is taken as its text. */
function plainScalar(value: unknown): unknown {
  return value === null || ["string", "number", "boolean"].includes(typeof value) ? value : String(value);
}

function syntaxWords(code: string, message: string): { found: string; expected: string } {
  switch (code) {
    case "DUPLICATE_KEY":
      return { found: "the same key a second time in one mapping", expected: "every key once" };
    case "TAB_AS_INDENT":
      return { found: "a tab used for indentation", expected: "spaces" };
    case "MULTIPLE_DOCS":
      return { found: "a second document (after `---`)", expected: "one document per file" };
    default:
      return { found: `invalid YAML (${(message.split("\n")[0] ?? message).trim()})`, expected: "valid YAML" };
  }
}

/** `recipients: [*@inbound.example.com]` is the slip everyone makes once: to YAML a leading `*` is an alias. */
function strayAlias(name: string): [found: string, expected: string] {
  return [`the alias *${name} without its anchor`, `text that begins with * in quotes: "*${name}"`];
}
