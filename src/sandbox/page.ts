/** The page that shows what a sandbox holds, for people who rehearse a set-up; it has no script, and everything in it is escaped. */
import type { LoggedCall, Reply, Table } from "./sandbox.ts";

const mostRows = 200;
const mostCalls = 30;
const mostChars = 300;

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`).replace(/[\u202a-\u202e\u2066-\u2069]/g, "");
const cell = (text: string): string => escaped(text.length > mostChars ? `${text.slice(0, mostChars)} …` : text);

function table({ name, rows }: Table): string {
  const shown = rows.slice(-mostRows);
  const columns = [...new Set(shown.flatMap((row) => Object.keys(row)))];
  const head = `<tr>${columns.map((column) => `<th>${cell(column)}</th>`).join("")}</tr>`;
  const body = shown.map(
    (row) => `<tr>${columns.map((column) => `<td>${cell(row[column] ?? "")}</td>`).join("")}</tr>`,
  );
  const more = rows.length > shown.length ? `, the last ${mostRows} of them` : "";
  return `<h2>${cell(name)} (${rows.length}${more})</h2>${rows.length === 0 ? "" : `<table>${head}${body.join("")}</table>`}`;
}

const style =
  "body{font:14px system-ui,sans-serif;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.3em .6em;text-align:left;vertical-align:top;white-space:pre-wrap;max-width:40em}";

export function page(tables: readonly Table[], log: readonly LoggedCall[]): Reply {
  const calls: Table = {
    name: "last calls",
    rows: log.slice(-mostCalls).map(({ method, path, route, status, fault }) => ({
      call: `${method} ${path}`,
      route,
      answer: status === null ? "none" : String(status),
      fault: fault ?? "",
    })),
  };
  const body = [...tables, calls].map(table).join("");
  return {
    status: 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    },
    body: `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sandbox</title><style>${style}</style></head><body><h1>What this sandbox holds</h1><p>Nothing of it is kept when it ends. The same as JSON: <a href="state">state</a>, <a href="log">log</a>.</p>${body}</body></html>`,
  };
}
