/** Tables and colours for people: columns that fit the terminal, colour only where it is wanted. */
import { fitted, plain, widthOf } from "./plain.ts";
import type { Output, Surroundings } from "./surroundings.ts";

const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;
export type Colour = keyof typeof codes;
export type Paint = (colour: Colour, text: string) => string;

/** Colour only on a terminal, and never against NO_COLOR (any value) or TERM=dumb. */
export function paintFor(output: Output, env: Surroundings["env"]): Paint {
  const wanted = output.isTerminal && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
  return (colour, text) => {
    const [on, off] = codes[colour];
    return wanted ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  };
}

export interface Column<Row> {
  readonly title: string;
  /** The cell's text; controls are removed here, so a caller may hand over what a mail says. */
  readonly cell: (row: Row) => string;
  readonly colour?: (row: Row) => Colour | undefined;
  /** Widest it may become. */
  readonly most?: number;
}

const gap = "  ";
const narrowest = 6;

/** Lines of a table, title line first. Too wide a table takes from its widest columns. */
export function tableOf<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { paint, width }: { paint: Paint; width: number },
): string[] {
  const cells = rows.map((row) => columns.map(({ cell, most }) => plain(cell(row), most ?? 200)));
  const widths = fittingWidths(columns, cells, width);
  const line = (texts: readonly string[], colourOf: (index: number) => Colour | undefined) =>
    texts
      .map((text, index) => {
        const cut = fitted(text, widths[index] ?? 0);
        const padding = " ".repeat(Math.max(0, (widths[index] ?? 0) - widthOf(cut)));
        const colour = colourOf(index);
        return `${colour === undefined ? cut : paint(colour, cut)}${index === texts.length - 1 ? "" : padding}`;
      })
      .join(gap)
      .trimEnd();
  const title = line(
    columns.map((column) => column.title),
    () => "bold",
  );
  return [title, ...rows.map((row, at) => line(cells[at] ?? [], (index) => columns[index]?.colour?.(row)))];
}

function fittingWidths<Row>(columns: readonly Column<Row>[], cells: readonly string[][], width: number): number[] {
  const widths = columns.map(({ title, most }, index) =>
    Math.min(most ?? 200, Math.max(widthOf(title), ...cells.map((row) => widthOf(row[index] ?? "")))),
  );
  const total = () => widths.reduce((sum, each) => sum + each, 0) + gap.length * (widths.length - 1);
  for (let over = total() - width; over > 0; over = total() - width) {
    const widest = widths.indexOf(Math.max(...widths));
    const next = Math.max(...widths.filter((_, index) => index !== widest), narrowest);
    const to = Math.max(next, (widths[widest] ?? 0) - over, narrowest);
    // All equally wide already: they shrink together, one column of characters at a time.
    widths[widest] = to < (widths[widest] ?? 0) ? to : Math.max(narrowest, (widths[widest] ?? 0) - 1);
    if (widths.every((each) => each <= narrowest)) break;
  }
  return widths;
}

/** Green for done, red for what needs a person, yellow for what waits or was left out. */
export function stateColour(state: string): Colour | undefined {
  if (state.includes("failed")) return "red";
  if (state.includes("held") || state.includes("pending") || state === "received") return "yellow";
  if (state.includes("processed")) return "green";
  return "dim";
}
