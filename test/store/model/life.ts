/** A random life of a ledger: what may happen to it, and what must be true of it at every moment. */
import fc from "fast-check";
import { expect } from "vitest";
import type { Attempt, Claim, EventRow, Ledger, StepNote } from "../../../src/model/ledger.ts";
import { message, type Plan, preparedOf, skip, steps } from "../contract/world.ts";

const lanes = ["acme/one", "acme/two"] as const;
const plans: readonly Plan[] = [
  steps("person-p", "activity"),
  steps("activity"),
  steps("person-p", "activity", "activity-more"),
  steps(),
  skip(),
  { kind: "hold", rule: "trust", reason: "suspicious" },
];

const pick = fc.nat(1_000);
export const happening = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant("accept" as const), name: fc.nat(5), route: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("attempt" as const), room: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant("prepare" as const), which: pick, plan: pick, other: pick }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("release" as const), which: pick, delay: fc.nat(500) }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant("claim" as const), lane: fc.nat(1), room: fc.nat(3) }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant("note" as const), which: pick, step: pick, state: fc.nat(3) }) },
  {
    weight: 5,
    arbitrary: fc.record({ op: fc.constant("settle" as const), which: pick, how: fc.nat(4), delay: fc.nat(500) }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("requeue" as const), which: pick, kind: fc.nat(3) }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant("time" as const), by: fc.integer({ min: -200_000, max: 2_000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("reopen" as const), died: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("archive" as const), limit: fc.nat(3) }) },
);
type Op = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** What a test knows without asking the ledger. */
export class Life {
  now = 1_000_000;
  ledger: Ledger;
  readonly open: () => Promise<Ledger>;
  readonly accepted = new Map<string, Set<string>>();
  attempts: Attempt[] = [];
  /** Asked for again since their parse began. */
  readonly asked = new Set<string>();
  claims: Claim[] = [];
  readonly confirmed = new Map<number, string>();
  readonly touched = new Map<number, string>();
  /** Keys of the steps last planned, by event and lane. */
  readonly plans = new Map<string, string[]>();

  constructor(ledger: Ledger, open: () => Promise<Ledger>) {
    this.ledger = ledger;
    this.open = open;
  }

  async rows(): Promise<readonly EventRow[]> {
    return await this.ledger.find({ limit: 1_000 });
  }

  async step(action: Op): Promise<void> {
    switch (action.op) {
      case "accept": {
        const name = `m${action.name}`;
        const route = `r${action.route}@in.example.com`;
        const known = this.accepted.get(name);
        const [answer] = await this.ledger.accept([
          message(name, { eventId: `event-${name}-${this.now}`, routes: [route] }),
        ]);
        expect(answer?.outcome).toBe(known === undefined ? "new" : "duplicate");
        if (known !== undefined && !known.has(route)) expect(answer?.routeAdded).toBe(true);
        this.accepted.set(name, new Set([...(known ?? []), route]));
        break;
      }
      case "attempt":
        await this.attempt(action.room);
        break;
      case "prepare":
        await this.prepare(action.which, [plans[action.plan % plans.length], plans[action.other % plans.length]]);
        break;
      case "release": {
        const attempt = this.attempts.splice(action.which % Math.max(1, this.attempts.length), 1)[0];
        if (attempt !== undefined) await this.ledger.release(attempt.eventId, attempt.lease, this.now + action.delay);
        break;
      }
      case "claim":
        await this.claim(lanes[action.lane] ?? lanes[0], action.room);
        break;
      case "note":
        await this.note(action.which, action.step, action.state);
        break;
      case "settle":
        await this.settle(action.which, action.how, action.delay);
        break;
      case "requeue":
        await this.requeue(action.which, action.kind);
        break;
      case "time":
        this.now = Math.max(1, this.now + action.by);
        break;
      case "reopen":
        await this.ledger.close();
        this.ledger = await this.open();
        if (action.died) {
          await this.ledger.reclaim(this.now);
          for (const claim of this.claims) expect(await this.ledger.note({ claim, steps: [] })).toBe(false);
          this.claims = [];
          this.attempts = [];
        }
        break;
      case "archive": {
        const items = await this.ledger.archivable(action.limit);
        await this.ledger.archived(items.map(({ eventId }) => ({ eventId, key: `raw/${eventId}` })));
        break;
      }
      default:
        action satisfies never;
    }
  }

  async attempt(room: number): Promise<void> {
    const begun = await this.ledger.attempt({ tenants: ["acme"], room, now: this.now, leaseMs: 1_000 });
    for (const { eventId } of begun) this.asked.delete(eventId);
    this.attempts.push(...begun);
  }

  async prepare(which: number, [one, two]: (Plan | undefined)[]): Promise<void> {
    const attempt = this.attempts.splice(which % Math.max(1, this.attempts.length), 1)[0];
    if (attempt === undefined || one === undefined || two === undefined) return;
    const own = (plan: Plan): Plan =>
      plan.kind === "steps"
        ? {
            ...plan,
            steps: plan.steps.map((step) =>
              step.kind === "person" ? step : { ...step, key: `${step.key}-${attempt.messageId}` },
            ),
          }
        : plan;
    const prepared = preparedOf(
      attempt,
      { [lanes[0]]: own(one), [lanes[1]]: own(two) },
      { now: this.now, thread: threadOf(attempt) },
    );
    const [written] = await this.ledger.prepare([prepared]);
    if (written !== true) return;
    for (const { lane, decision } of prepared.deliveries) {
      if (decision.kind === "steps")
        this.plans.set(
          `${attempt.eventId} ${lane}`,
          decision.steps.map(({ key }) => key),
        );
    }
    // A route that came while it was parsed must not be forgotten, nor an order to do it again.
    const routes = this.accepted.get(nameOf(attempt)) ?? new Set();
    const row = (await this.ledger.find({ event: attempt.eventId, limit: 1 }))[0];
    const again = routes.size > attempt.routes.length || this.asked.has(attempt.eventId);
    expect(row?.stage).toBe(again ? "accepted" : "prepared");
  }

  async claim(lane: string, room: number): Promise<void> {
    const before = await this.rows();
    const { claims, nextDueAt } = await this.ledger.claim({ lane, room, now: this.now, leaseMs: 1_000 });
    const after = await this.rows();
    expect(claims.length).toBeLessThanOrEqual(room);
    for (const claim of claims) {
      const live = this.claims.filter(({ id, lease }) => id === claim.id && lease.until > this.now);
      for (const old of live) expect(await this.ledger.note({ claim: old, steps: [] })).toBe(false);
      const mine = after.find(({ eventId }) => eventId === claim.eventId);
      const [seq, thread] = [mine?.seq ?? 0, threadOf(mine)];
      const waits = (row: EventRow | undefined) =>
        row?.deliveries.some((delivery) => delivery.lane === lane && delivery.state === "pending") === true;
      // A claim takes leases back that ran out, and a plan that waited for that may have ended the delivery: then nobody was overtaken.
      const earlier = before.filter(
        (row) =>
          row.seq < seq &&
          threadOf(row) === thread &&
          waits(row) &&
          waits(after.find(({ eventId }) => eventId === row.eventId)),
      );
      expect(earlier.map(({ eventId }) => eventId)).toEqual([]);
      this.underNewestPlan(claim);
      for (const step of claim.steps) if (step.state === "confirmed") expect(step.ref).not.toBeNull();
    }
    expect(new Set(claims.map(({ id }) => id)).size).toBe(claims.length);
    const pending = after
      .flatMap(({ deliveries }) => deliveries)
      .filter((delivery) => delivery.lane === lane && delivery.state === "pending");
    if (pending.length > 0) expect(nextDueAt).not.toBeNull();
    this.claims.push(...claims);
  }

  underNewestPlan({ eventId, lane, steps: claimed }: Claim): void {
    expect(claimed.map(({ key }) => key)).toEqual(this.plans.get(`${eventId} ${lane}`));
  }

  async note(which: number, at: number, state: number): Promise<void> {
    const claim = this.claims[which % Math.max(1, this.claims.length)];
    const step = claim?.steps[at % Math.max(1, claim.steps.length)];
    // A drain leaves confirmed steps alone, those that an operator confirmed by hand among them.
    if (claim === undefined || step === undefined || step.state === "confirmed" || this.confirmed.has(step.id)) return;
    const common = { step: step.id, at: this.now };
    const choices: StepNote[] = [
      { ...common, state: "sent", deadline: this.now + 100 },
      { ...common, state: "confirmed", ref: `ref-${step.kind}-${step.key}`, adopted: false },
      { ...common, state: "unknown", reason: "cut" },
      { ...common, state: "planned", reason: "429" },
    ];
    const note = choices[state];
    if (note === undefined) return;
    if (await this.ledger.note({ claim, steps: [note] })) this.remember(note, step.key);
    else this.claims = this.claims.filter((kept) => kept !== claim);
  }

  remember(note: StepNote, key: string): void {
    if (note.state === "sent") this.touched.set(note.step, key);
    // A call that was not executed leaves nothing that a newer plan would have to keep.
    if (note.state === "planned") this.touched.delete(note.step);
    if (note.state === "confirmed") this.confirmed.set(note.step, note.ref);
  }

  async settle(which: number, how: number, delay: number): Promise<void> {
    const claim = this.claims.splice(which % Math.max(1, this.claims.length), 1)[0];
    if (claim === undefined) return;
    const left = claim.steps.filter(({ id, state }) => state !== "confirmed" && !this.confirmed.has(id));
    const notes =
      how === 0
        ? left.map(
            ({ id, kind, key }): StepNote => ({
              step: id,
              state: "confirmed",
              at: this.now,
              ref: `ref-${kind}-${key}`,
              adopted: false,
            }),
          )
        : [];
    const settlement = [
      { state: "processed" },
      { state: "pending", dueAt: this.now + delay, counted: true, detail: "busy" },
      { state: "pending", dueAt: this.now + delay, counted: false, detail: "429" },
      { state: "failed", reason: "permanent", detail: "400" },
      { state: "held", rule: "r", detail: "look" },
    ] as const;
    const chosen = settlement[how];
    if (chosen === undefined) return;
    const written = await this.ledger.settle({ claim, at: this.now, settlement: chosen, steps: notes });
    if (written) for (const note of notes) this.remember(note, "");
  }

  async requeue(which: number, kind: number): Promise<void> {
    const dead = await this.ledger.deadLetters({ limit: 100 });
    const letter = dead[which % Math.max(1, dead.length)];
    const now = this.now;
    if (kind === 3) {
      const rows = await this.rows();
      const eventId = rows[which % Math.max(1, rows.length)]?.eventId;
      if (eventId === undefined) return;
      expect(await this.ledger.requeue({ kind: "reprocess", eventId, now })).toBe(true);
      this.asked.add(eventId);
    } else if (letter !== undefined) {
      const delivery = letter.id;
      if (kind === 0) expect(await this.ledger.requeue({ kind: "drop", delivery, now, detail: "spam" })).toBe(true);
      if (kind === 1) await this.ledger.requeue({ kind: "replay", delivery, now });
      if (kind === 2) await this.ledger.requeue({ kind: "confirm", delivery, ref: "by-hand", now });
    }
  }

  /** What must be true after everything that happens. */
  async check(): Promise<void> {
    const rows = await this.rows();
    expect(rows.map(({ messageId }) => messageId).sort()).toEqual(
      [...this.accepted.keys()].map((name) => `<${name}@example.net>`).sort(),
    );
    for (const [name, routes] of this.accepted) {
      expect(new Set(rows.find(({ messageId }) => messageId === `<${name}@example.net>`)?.routes)).toEqual(routes);
    }
    const deliveries = rows.flatMap((row) => row.deliveries);
    const known = new Map(deliveries.flatMap((delivery) => delivery.steps).map((step) => [step.id, step]));
    for (const [id, ref] of this.confirmed) expect(known.get(id)).toMatchObject({ state: "confirmed", ref });
    for (const id of this.touched.keys()) expect(known.has(id)).toBe(true);
    const count = (state: string) => deliveries.filter((delivery) => delivery.state === state).length;
    const stats = await this.ledger.stats(this.now);
    const received = rows.filter(({ stage }) => stage === "accepted").length;
    expect(stats).toMatchObject({
      messages: rows.length,
      received,
      backlog: received + count("pending"),
      deliveries: {
        pending: count("pending"),
        processed: count("processed"),
        failed: count("failed"),
        skipped: count("skipped"),
        held: count("held"),
      },
      unarchived: rows.filter(
        (row) =>
          row.stage === "prepared" &&
          row.raw.kind === "inline" &&
          row.deliveries.every(({ state }) => state !== "pending"),
      ).length,
    });
    for (const delivery of deliveries) {
      expect(delivery.reason === null).toBe(delivery.state !== "failed");
      expect(delivery.settledAt === null).toBe(delivery.state === "pending");
    }
  }

  /** Everything that waits can be brought to an end: nothing is pending that nobody would ever be given. */
  async drain(): Promise<void> {
    await this.ledger.reclaim(this.now);
    for (let round = 0; round < 100; round++) {
      this.now += 25 * 3600_000;
      const attempts = await this.ledger.attempt({ tenants: ["acme"], room: 100, now: this.now, leaseMs: 1_000 });
      await this.ledger.prepare(
        attempts.map((attempt) =>
          preparedOf(attempt, { [lanes[0]]: skip() }, { now: this.now, thread: threadOf(attempt) }),
        ),
      );
      let worked = attempts.length;
      for (const lane of lanes) {
        const { claims } = await this.ledger.claim({ lane, room: 100, now: this.now, leaseMs: 1_000 });
        worked += claims.length;
        for (const claim of claims) {
          this.underNewestPlan(claim);
          const notes = claim.steps
            .filter(({ state }) => state !== "confirmed")
            .map(
              ({ id, key }): StepNote => ({
                step: id,
                state: "confirmed",
                at: this.now,
                ref: `drained-${key}`,
                adopted: true,
              }),
            );
          expect(
            await this.ledger.settle({ claim, at: this.now, settlement: { state: "processed" }, steps: notes }),
          ).toBe(true);
        }
      }
      if (worked === 0) break;
    }
    expect((await this.ledger.stats(this.now)).backlog).toBe(0);
  }
}

const nameOf = ({ messageId }: Pick<EventRow, "messageId">): string =>
  messageId?.slice(1, messageId.indexOf("@")) ?? "";

/** Which thread a message belongs to is fixed by its name, so that the order within it can be told from the rows alone. */
function threadOf(row: Pick<EventRow, "messageId"> | undefined): string {
  return `t${Number(/\d/.exec(row?.messageId ?? "0")?.[0] ?? 0) % 2}`;
}
