/** A Tryton session at the real server behind a proxy that cuts, as the contract of destinations wants it. */
import { tryton as destination } from "../../src/destinations/tryton.ts";
import { systemClock } from "../../src/main/system.ts";
import type { StepKind } from "../../src/model/step.ts";
import { openWire } from "../../src/wire/http.ts";
import type { VendorRig } from "../destinations/contract.ts";
import { manualClock, noMetrics, portsFor, recordingLog } from "../destinations/fixtures.ts";
import { bodyOf, headOf, inOwnStages, stages } from "../destinations/tryton-rig.ts";
import { type Cutting, type Meeting, startCutting } from "./cutting.ts";
import type { Tryton } from "./tryton.ts";

const counted: Partial<Record<StepKind, string>> = {
  person: "SELECT count(*) FROM party_party WHERE active AND id > 1 AND code NOT LIKE 'co-%'",
  company: "SELECT count(*) FROM party_party WHERE active AND code LIKE 'co-%'",
  deal: "SELECT count(*) FROM sale_opportunity WHERE state <> 'cancelled'",
  activity: "SELECT count(*) FROM ir_note",
};

const methods = {
  person: "model.party.party.create",
  deal: "model.sale.opportunity.create",
  activity: "model.ir.note.create",
} as const;

/** The next call of this method meets it, and no other. */
function next(proxy: Cutting, method: string | undefined, met: Meeting): void {
  proxy.meet = (called) => {
    if (method !== undefined && called !== method) return undefined;
    proxy.meet = () => undefined;
    return met;
  };
}

const page = (status: number, headers = {}): Meeting => ({
  kind: "answer",
  status,
  headers,
  body: "",
  carriedOut: false,
});

export async function realTrytonRig(tryton: Tryton): Promise<VendorRig> {
  await tryton.clear();
  const proxy = await startCutting(tryton.port);
  const { user, database, asAdmin, sql } = tryton;
  const secret = tryton.password;
  const settings = destination.settings.parse({ base_url: proxy.url, database, user, password: secret });
  const wire = openWire({ vendor: "tryton", baseUrl: proxy.url, headers: {}, clock: systemClock, metrics: noMetrics });
  const { log, lines } = recordingLog();
  const clock = manualClock();
  const session = inOwnStages(destination.open(settings, portsFor(clock, wire, undefined, log)));
  const one = async (statement: string): Promise<string> => await sql(statement);
  const number = (id: string): number => Number(id);
  const message = async (id: string): Promise<string> => {
    const rows = (await asAdmin("ir.note.search_read", [["id", "=", number(id)]], 0, 1, null, ["message"])) as {
      message: string;
    }[];
    return rows[0]?.message ?? "";
  };
  let edits = Promise.resolve();
  let restored = true;

  async function linksOf(id: string): Promise<string[]> {
    const [model = "", on = ""] = (await one(`SELECT resource FROM ir_note WHERE id = ${number(id)}`)).split(",");
    const rows =
      model === "party.party"
        ? await one(`SELECT to FROM party_relation WHERE from_ = ${on}`.replace("SELECT to", 'SELECT "to"'))
        : await one(
            `SELECT party FROM sale_opportunity WHERE id = ${on} UNION SELECT m.party FROM sale_opportunity o JOIN party_contact_mechanism m ON m.id = o.contact WHERE o.id = ${on}`,
          );
    return [...new Set([on, ...rows.split("\n")])].filter((end) => end !== "");
  }

  return {
    facts: destination.facts,
    session,
    lines,
    count: async (kind) => Number(await one(counted[kind] ?? "SELECT 0")),
    async someoneAddsContact(email, name) {
      const mechanisms = [["create", [{ type: "email", value: email }]]];
      const [id] = (await asAdmin("party.party.create", [{ name, contact_mechanisms: mechanisms }])) as number[];
      return String(id);
    },
    async someoneMovesDeal(id, stage) {
      const state = stages.find(([word]) => word === stage)?.[1] ?? stage;
      // Won, an opportunity is by its sales, which are not ours to make here.
      await sql(`UPDATE sale_opportunity SET state = '${state}' WHERE id = ${number(id)}`);
    },
    async stageOf(id) {
      const state = await one(`SELECT state FROM sale_opportunity WHERE id = ${number(id)}`);
      return stages.find(([, word]) => word === state)?.[0];
    },
    contactName: async (id) => await one(`SELECT name FROM party_party WHERE id = ${number(id)}`),
    async textOf(id) {
      await edits;
      return bodyOf(await message(id));
    },
    async filesOf(id) {
      await edits;
      return await message(id);
    },
    linksOf,
    weather: {
      secret,
      loseAnswer: (kind, how) =>
        next(
          proxy,
          methods[kind],
          how === "drop" ? { kind: "cut" } : { kind: "answer", status: 504, body: "", carriedOut: true },
        ),
      loseChange: (how) =>
        next(
          proxy,
          "model.ir.note.write",
          how === "unsent"
            ? { kind: "unsent" }
            : how === "drop"
              ? { kind: "cut" }
              : { kind: "answer", status: 504, body: "", carriedOut: true },
        ),
      someoneEdits(id, edit) {
        // The contract does not wait; the next look of its does.
        edits = (async () => {
          const before = await message(id);
          await asAdmin("ir.note.write", [number(id)], { message: headOf(before) + edit(bodyOf(before)) });
        })();
        proxy.before = edits;
      },
      failRead: () => next(proxy, "model.party.contact_mechanism.search_read", page(502)),
      revokeToken() {
        restored = false;
        proxy.before = (async () => {
          await sql(`DELETE FROM res_user_login_attempt`);
          await asAdmin("res.user.write", [2], { password: "zyxwvut 6318" });
          // The administrator's own rules hide the sessions of others from that write: one that is open goes on until it is ended.
          await sql("DELETE FROM ir_session WHERE create_uid = 2");
        })();
      },
      limitNext() {
        next(proxy, undefined, page(429, { "retry-after": "7" }));
        return clock.now() + 7_000;
      },
      refuseActivity: (words) =>
        next(proxy, methods.activity, {
          kind: "answer",
          status: 200,
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ id: 1, error: ["UserError", [words, "", null]] }),
          carriedOut: false,
        }),
    },
    async close() {
      await edits;
      await wire.close();
      await proxy.close();
      if (!restored) await asAdmin("res.user.write", [2], { password: secret });
    },
  };
}
