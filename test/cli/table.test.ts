import { describe, expect, test } from "vitest";
import { paintFor, tableOf } from "../../src/cli/table.ts";

const terminal = { write: async () => undefined, isTerminal: true, columns: 80 };
const pipe = { ...terminal, isTerminal: false };
const uncoloured = paintFor(pipe, {});

describe("colour", () => {
  test("is used on a terminal", () => {
    expect(paintFor(terminal, {})("red", "x")).toBe("\u001b[31mx\u001b[39m");
  });

  test.each([
    ["not on a terminal", pipe, {}],
    ["NO_COLOR is set", terminal, { NO_COLOR: "1" }],
    ["the terminal is dumb", terminal, { TERM: "dumb" }],
  ])("is left out: %s", (_why, output, env) => {
    expect(paintFor(output, env)("red", "x")).toBe("x");
  });

  test("an empty NO_COLOR is none", () => {
    expect(paintFor(terminal, { NO_COLOR: "" })("bold", "x")).toContain("\u001b[1m");
  });
});

describe("tables", () => {
  const rows = [
    { from: "maria@northwind-bikes.example", subject: "Invoices for two workshops" },
    { from: "x@y.example", subject: "\u001b[31mred\u001b[0m" },
  ];
  const columns = [
    { title: "from", cell: (row: (typeof rows)[number]) => row.from },
    { title: "subject", cell: (row: (typeof rows)[number]) => row.subject },
  ];

  test("cells stand under their titles, and what a mail says cannot steer", () => {
    expect(tableOf(rows, columns, { paint: uncoloured, width: 100 })).toEqual([
      "from                           subject",
      "maria@northwind-bikes.example  Invoices for two workshops",
      "x@y.example                    red",
    ]);
  });

  test("a narrow terminal cuts the widest columns", () => {
    const lines = tableOf(rows, columns, { paint: uncoloured, width: 40 });
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
    expect(lines[1]).toContain("…");
  });

  test("a terminal too narrow for anything still gets a table", () => {
    expect(tableOf(rows, columns, { paint: uncoloured, width: 3 })).toHaveLength(3);
  });
});
