/** One conversation as it is being told: who says what to whom, by which way it comes to us, and the ids that programs send along. */
import type { Chance } from "../simulation/chance.ts";
import type { Cast, Host, Person } from "./cast.ts";
import { type Letter, mailbox, styles } from "./letters.ts";
import type { Told, What } from "./told.ts";
import { goods } from "./words.ts";

/** Which ids a program sends with an answer. */
type Sends = "both" | "in_reply_to" | "references" | "nothing";

export interface Draft {
  readonly letter: Letter;
  readonly told: Told;
  /** When it comes; what its Date says is another matter. */
  readonly arrives: number;
  readonly routes: readonly string[];
  readonly server: Host;
  /** Whose signature it carries; null for none. */
  readonly signer: Host | null;
  readonly mailFrom: string | null;
  /** Comes again by another way, so much later. */
  readonly again?: { readonly route: string; readonly after: number };
  /** Other keys that order matters to. */
  readonly touches?: readonly string[];
}

export interface Saying {
  readonly what: What;
  readonly note?: string;
  readonly from: Person;
  readonly shown?: string;
  readonly to: readonly Person[];
  readonly cc?: readonly Person[];
  /** How our own copy comes: in To, in Cc, or in no header. */
  readonly copy: "to" | "cc" | "bcc";
  readonly text: string;
  readonly subject?: string;
  /** It answers the mail before, whose ids it sends in this way. */
  readonly answers?: Sends | undefined;
  /** It answers what never came to us. */
  readonly answersUnseen?: string;
  readonly direction: Told["direction"];
  readonly under: readonly Person[];
  readonly hearsay?: Told["hearsay"];
  readonly machine?: Told["machine"];
  readonly forged?: boolean;
  readonly server?: Host;
  readonly signer?: Host | null;
  readonly mailFrom?: string | null;
  readonly headers?: readonly string[];
  readonly replyTo?: Person;
  readonly parts?: Letter["parts"];
  readonly whole?: string;
  readonly style?: Letter["style"];
  readonly quoted?: Letter["quoted"];
  /** Arrives so much later than it was written. */
  readonly late?: number;
  readonly again?: Draft["again"];
  readonly touches?: readonly string[];
}

export interface Scene {
  readonly name: string;
  readonly chance: Chance;
  readonly cast: Cast;
  readonly subject: string;
  readonly goods: string;
  /** The address of ours that this conversation is copied to, with its tag. */
  readonly route: string;
  readonly drafts: readonly Draft[];
  now(): number;
  wait(fromMs: number, toMs: number): void;
  fill(text: string): string;
  say(saying: Saying): Draft;
}

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

export function openScene(name: string, begins: number, local: string, chance: Chance, cast: Cast): Scene {
  const drafts: Draft[] = [];
  const things = chance.pick(goods);
  const number = chance.between(10_000, 99_999);
  const pieces = chance.between(10, 90) * 5;
  const about = chance.pick(["Delivery of", "Price for", "Need of", "Plans with", "Übersicht"]);
  const subject = `${about} ${things} ${number}`;
  const route = `${local}@${cast.inbound}`;
  let at = begins;

  const fill = (text: string): string => text.replaceAll("%g", things).replaceAll("%n", String(pieces));

  function idsOf(sends: Sends | undefined, unseen: string | undefined): Pick<Letter, "inReplyTo" | "references"> {
    if (unseen !== undefined) return { inReplyTo: unseen, references: [unseen] };
    const last = drafts.at(-1)?.letter;
    if (sends === undefined || sends === "nothing" || last === undefined) return { inReplyTo: null, references: [] };
    const chain = [...last.references, last.id];
    return {
      inReplyTo: sends === "references" ? null : last.id,
      references: sends === "in_reply_to" ? [] : chain,
    };
  }

  function say(saying: Saying): Draft {
    const { from, shown = from.name, to, cc = [], copy, answers, answersUnseen } = saying;
    const last = drafts.at(-1)?.letter;
    const isAnswer = answers !== undefined || answersUnseen !== undefined;
    const prefix = chance.pick(["Re: ", "Re: ", "RE: ", "AW: "]);
    const bare = saying.subject ?? subject;
    const quoted =
      saying.quoted ??
      (answers !== undefined && last !== undefined && chance.flip(0.8)
        ? { who: last.from.replace(/^.*<|>.*$/gs, ""), at: last.at, text: last.text.slice(0, 400) }
        : null);
    const letter: Letter = {
      from: mailbox({ name: shown, address: from.address }),
      to: [...(copy === "to" ? [route] : []), ...to.map(mailbox)],
      cc: [...cc.map(mailbox), ...(copy === "cc" ? [route] : [])],
      subject: isAnswer ? `${prefix}${bare}` : bare,
      at,
      id: `${chance.hex(20)}@${from.host.domain}`,
      ...idsOf(answers, answersUnseen),
      headers: [
        ...(saying.replyTo === undefined ? [] : [`Reply-To: ${mailbox(saying.replyTo)}`]),
        ...(saying.headers ?? []),
      ],
      text: `${fill(saying.text)}\n\n${shown}`,
      quoted,
      style: saying.style ?? chance.pick(styles),
      ...(saying.parts === undefined ? {} : { parts: saying.parts }),
      ...(saying.whole === undefined ? {} : { whole: saying.whole }),
    };
    const draft: Draft = {
      letter,
      told: {
        what: saying.what,
        note: saying.note ?? "",
        conversation: name,
        begins: !isAnswer,
        direction: saying.direction,
        from,
        shown,
        under: saying.under,
        hearsay: saying.hearsay ?? null,
        machine: saying.machine ?? null,
        forged: saying.forged ?? false,
        subject: letter.subject,
      },
      arrives: at + (saying.late ?? chance.between(1, 20) * 1_000),
      routes: [route],
      server: saying.server ?? from.host,
      signer: saying.signer === undefined ? from.host : saying.signer,
      mailFrom: saying.mailFrom === undefined ? from.address : saying.mailFrom,
      ...(saying.again === undefined ? {} : { again: saying.again }),
      ...(saying.touches === undefined ? {} : { touches: saying.touches }),
    };
    drafts.push(draft);
    return draft;
  }

  return {
    name,
    chance,
    cast,
    subject,
    goods: things,
    route,
    drafts,
    now: () => at,
    wait(from, to) {
      at += chance.between(from, to);
    },
    fill,
    say,
  };
}

export const sendsOf = (chance: Chance): Sends => {
  const drawn = chance.unit();
  if (drawn < 0.7) return "both";
  if (drawn < 0.82) return "in_reply_to";
  return drawn < 0.94 ? "references" : "nothing";
};
