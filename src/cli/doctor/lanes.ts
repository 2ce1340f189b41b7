/** Examines every destination account through its own session: token, scopes, properties; and mends what it can. */
import { type Ground, type OpenLane, openLanes, type Stranded, strandedWork } from "../../main.ts";
import type { Finding } from "../../model/destination.ts";
import type { LaneStatus } from "../../model/ledger.ts";
import { failureOf } from "../../model/outcome.ts";
import { type Found, ok, problem, warning } from "./finding.ts";

/** With `fix`, what the session can mend is mended, and a lane that was blocked and is well now goes on. */
export async function examineLanes(ground: Ground, fix: boolean): Promise<Found[]> {
  const lanes = await openLanes(ground);
  const standings = await ground.ledger.lanes();
  try {
    const found: Found[] = [];
    for (const lane of lanes) {
      const standing = standings.find((each) => each.lane === lane.settings.lane);
      found.push(...(await examineLane(ground, lane, standing, fix)));
    }
    const stranded = await strandedWork(ground.ledger, ground.settings);
    return [...found, ...stranded.map(strandedFound)];
  } finally {
    for (const lane of lanes) await lane.close();
  }
}

function strandedFound({ of, kind, waiting, more }: Stranded): Found {
  return problem(
    of,
    `${waiting}${more ? " or more" : ""} ${kind} wait for ${of}, which is not in the configuration any more; nobody works them`,
    "put it back into the configuration until they are worked",
  );
}

async function examineLane(
  ground: Ground,
  open: OpenLane,
  standing: LaneStatus | undefined,
  fix: boolean,
): Promise<Found[]> {
  const { lane } = open.settings;
  let found = await checked(open);
  const mended: Found[] = [];
  if (fix && found.some(({ fixable }) => fixable)) {
    mended.push(...(await mend(open)));
    found = await checked(open);
  }
  const isWell = found.every(({ level }) => level !== "problem");
  if (standing?.oldMail != null && standing.oldMail.until > ground.clock.now())
    found = [
      ...found,
      warning(lane, standing.oldMail.reason, "it goes on by itself; live_reserve_percent says how much is kept"),
    ];
  if (standing?.blockedReason == null) return [...mended, ...found];
  if (isWell && fix) {
    await ground.ledger.pause({ lane, kind: "resume" });
    return [
      ...mended,
      ...found,
      ok(lane, `the lane was blocked (${standing.blockedReason}) and goes on now; ${standing.pending} deliveries wait`),
    ];
  }
  const blocked = problem(
    lane,
    `the lane is blocked (${standing.blockedReason}); ${standing.pending} deliveries wait, nothing is lost`,
    isWell ? "mailwright doctor --fix lets it go on" : "mend what is said of it above, then: mailwright doctor --fix",
    isWell,
  );
  return [...mended, ...found, blocked];
}

async function checked({ session, settings: { lane } }: OpenLane): Promise<Found[]> {
  try {
    const { account, findings } = await session.check();
    return findings.map((finding) => foundOf(finding, lane, account));
  } catch (error) {
    return [unreachable(lane, error)];
  }
}

async function mend({ session, settings: { lane } }: OpenLane): Promise<Found[]> {
  try {
    return ((await session.fix?.()) ?? []).map((finding) => foundOf(finding, lane, undefined));
  } catch (error) {
    return [unreachable(lane, error)];
  }
}

function unreachable(lane: string, error: unknown): Found {
  const { kind, reason } = failureOf(error);
  switch (kind) {
    case "rate_limited":
      return warning(lane, `the CRM asks for silence now (${reason})`, "run doctor again later");
    case "retryable":
    case "ambiguous":
      return problem(
        lane,
        `the CRM gave no good answer (${reason})`,
        "look at base_url, the network and the vendor's status page",
      );
    case "permanent":
    case "blocked":
      return problem(lane, reason, "mend it at the CRM or in the configuration, then run doctor again");
    default:
      return kind satisfies never;
  }
}

function foundOf({ level, what, mend, fixable }: Finding, lane: string, account: string | undefined): Found {
  const said = account === undefined || level !== "ok" ? what : `${what} (account ${account})`;
  const isFixable = fixable ?? false;
  return {
    level,
    about: lane,
    what: said,
    mend: mend ?? (isFixable ? "mailwright doctor --fix" : null),
    fixable: isFixable,
  };
}
