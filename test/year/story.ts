/** A made-up year of mail: from a seed and a number of mails, in order of arrival, each with what the story knows of it. */
import { Chance } from "../simulation/chance.ts";
import type { Zone } from "../support/dns-zone.ts";
import { signed } from "../support/signer.ts";
import { type Cast, castOf, type Host, keyOf, type Person, publish } from "./cast.ts";
import * as tell from "./conversations.ts";
import { written } from "./letters.ts";
import { type Draft, day, openScene, type Scene } from "./scene.ts";
import { forgeries } from "./spoofs.ts";
import type { YearMail } from "./told.ts";

export interface YearOptions {
  readonly seed: number;
  /** How many mails, those that come twice counted twice. */
  readonly count: number;
}

export interface Year {
  readonly cast: Cast;
  readonly mails: readonly YearMail[];
  /** Puts into a name server what the senders of the year have published. */
  publish(zone: Zone): void;
  /** Who is one person with several addresses, where the mapping is told. */
  readonly samePerson: readonly (readonly string[])[];
}

export const yearBegins = Date.UTC(2025, 0, 6, 7);
const length = 350 * day;

/** Shares in a hundred conversations. */
const mix: readonly (readonly [share: number, local: readonly string[], tell: tell.Teller])[] = [
  [36, ["deals", "deals", "sales", "deals+us-west", "sales+fair"], tell.request],
  [12, ["deals", "office"], tell.outreach],
  [12, ["help"], tell.help],
  [6, ["deals", "office"], tell.forward],
  [5, ["deals"], tell.form],
  [4, ["deals", "sales"], tell.unseen],
  [5, ["deals"], tell.machines],
  [7, ["deals", "office"], tell.newsletter],
  [4, ["deals"], tell.internal],
  [2, ["sales"], tell.invoice],
  [2, ["office"], tell.application],
  [1, ["office"], tell.excluded],
  [1, ["deals"], tell.noReply],
  [2, ["deals"], tell.disposable],
  [0.3, ["deals"], tell.broadcast],
];
/** Of all mails. */
const forged = 0.04;

export function yearOf({ seed, count }: YearOptions): Year {
  const chance = new Chance(`year ${seed}`);
  const cast = castOf(seed, count);
  const honest = Math.ceil(count * (1 - forged));
  const drafts: Draft[] = [];
  for (let number = 0; drafts.length < honest; number++) {
    const scene = conversation(number, chance.split(`conversation ${number}`), cast);
    drafts.push(
      ...scene.drafts.flatMap((draft) =>
        draft.again === undefined ? [draft] : [draft, comesAgain(draft, draft.again)],
      ),
    );
  }
  // A conversation is told to its end or not at all, so that there may be a few more.
  drafts.push(...forgeries(chance.split("forgeries"), cast, drafts, count - honest));
  const inOrder = drafts.toSorted((one, other) => one.arrives - other.arrives);
  return {
    cast,
    mails: inOrder.map((draft, number) => mailOf(draft, number, cast)),
    publish: (zone) => publish(cast, zone),
    samePerson: cast.changes.filter(({ listed }) => listed).map(({ before, after }) => [before.address, after.address]),
  };
}

function conversation(number: number, chance: Chance, cast: Cast): Scene {
  const [, locals, teller] = drawn(chance);
  const share = chance.unit();
  const scene = openScene(`c${number}`, yearBegins + Math.floor(share * length), chance.pick(locals), chance, cast);
  teller(scene, customerOf(chance, cast, share));
  return scene;
}

function drawn(chance: Chance): (typeof mix)[number] {
  let left = chance.unit() * mix.reduce((sum, [share]) => sum + share, 0);
  for (const one of mix) {
    left -= one[0];
    if (left < 0) return one;
  }
  throw new RangeError("the shares do not add up");
}

/** Some customers come again and again. */
function customerOf(chance: Chance, cast: Cast, share: number): tell.Customer {
  const who = chance.unit();
  if (who < 0.09) return tell.changed(cast, chance, share);
  if (who < 0.24) return { person: chance.pick(cast.freemail), beside: [] };
  const at = Math.floor(chance.unit() ** 1.7 * cast.companies.length);
  const people = cast.companies[cast.companies.length - 1 - at]?.people ?? [];
  const person = chance.pick(people);
  return { person, beside: people.filter((one) => one !== person) };
}

function comesAgain(draft: Draft, { route, after }: NonNullable<Draft["again"]>): Draft {
  const { again: _, ...rest } = draft;
  return { ...rest, arrives: draft.arrives + after, routes: [route], told: { ...draft.told, what: "again" } };
}

/** Colleagues are known from the beginning: no order among their mails matters. */
function mailOf(draft: Draft, number: number, cast: Cast): YearMail {
  const { letter, told, arrives, routes, server, signer, mailFrom, touches = [] } = draft;
  const smtp = {
    remote_ip: server.ip,
    helo: `mail.${server.domain}`,
    tls: null,
    mail_from: mailFrom,
    rcpt_to: [...routes],
  };
  return {
    number,
    id: letter.id,
    at: arrives,
    raw: rawOf(draft, signer),
    envelope: { kind: "smtp", tenant: "acme", routes: [...routes], received_at: arrives, smtp },
    told,
    again: told.what === "again" ? letter.id : null,
    touches: [
      told.conversation,
      ...touches,
      ...[told.from, ...told.under].flatMap((one) => (one.host === cast.own ? [] : keysOf(one))),
    ],
  };
}

const keysOf = ({ id, address, company }: Person): string[] => [id, address, ...(company === null ? [] : [company])];

const signedHeaders = [
  "from",
  "to",
  "cc",
  "subject",
  "date",
  "message-id",
  "reply-to",
  "in-reply-to",
  "references",
  "mime-version",
  "content-type",
];

function rawOf({ letter }: Draft, signer: Host | null): Buffer {
  const raw = written(letter);
  if (signer === null || (signer.shows !== "dmarc" && signer.shows !== "dkim")) return raw;
  const names = raw.toString("latin1").split("\r\n\r\n", 1)[0]?.toLowerCase() ?? "";
  const headers = signedHeaders.filter((name) => new RegExp(`^${name}:`, "m").test(names));
  return signed(raw, { domain: signer.domain, selector: "s1", key: keyOf(signer), headers });
}
