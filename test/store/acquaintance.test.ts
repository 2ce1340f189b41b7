/** What is remembered of senders is bounded: a flood of new ones makes the longest unseen go, and nobody else. */

import { readFileSync } from "node:fs";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { openTeach } from "../../src/store/sqlite/acquaintance.ts";

const sql = readFileSync(new URL("../../src/store/sqlite/004_acquaintance.sql", import.meta.url), "utf8");

test("the longest unseen are forgotten when there are too many, tenant by tenant", () => {
  const db = new Database(":memory:");
  db.exec(sql);
  const teach = openTeach(db, 3_000);
  const one = (tenant: string, n: number, at: number) =>
    teach(tenant, `event-${n}`, { trust: "verified", at, features: [{ kind: "address", hash: `h${n}`, of: `o${n}` }] });
  const count = (tenant: string) =>
    db.prepare("SELECT count(*) AS n FROM acquaintance WHERE tenant = ?").pluck().get(tenant);
  one("quiet", 1, 1);
  for (let n = 0; n < 3_000; n++) one("noisy", n, n);
  one("noisy", 0, 10_000);
  expect(count("noisy")).toBe(3_000);
  one("noisy", 3_000, 3_000);
  expect(count("noisy")).toBe(2_000);
  expect(db.prepare("SELECT n FROM acquaintance_tally WHERE tenant = 'noisy'").pluck().get()).toBe(2_000);
  expect(count("quiet")).toBe(1);
  const kept = db.prepare("SELECT hash FROM acquaintance WHERE hash IN ('h0', 'h1', 'h3000')").pluck().all();
  expect(kept.sort()).toEqual(["h0", "h1", "h3000"]);
  db.close();
});
