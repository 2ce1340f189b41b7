/** What a conversation of the corpus is told in: people by short names, and per mail only what is not usual. */

export const own = "northlight.example";
export const inbound = "deals@inbound.example.com";

/** Which ids a client sends. */
export type Sends = "both" | "in-reply-to" | "references" | "nothing";

export interface Line {
  readonly from: string;
  /** The inbound address alone where it is missing; our own copy comes by Bcc. */
  readonly to?: readonly string[];
  readonly cc?: readonly string[];
  /** The line that it answers, by its place. */
  readonly re?: number;
  readonly sends?: Sends;
  /** How many ids of References its client keeps. */
  readonly keep?: number;
  readonly refs?: readonly string[];
  /** Between the ids of References, where it is no blank. */
  readonly separator?: string;
  readonly id?: string;
  readonly subject?: string;
  readonly text: string;
  /** Minutes after the mail before. */
  readonly after?: number;
  readonly at?: string;
  /** The conversation that it really belongs to, where it is not the one it stands in. */
  readonly in?: string;
  readonly trust?: "verified" | "aligned-weak" | "unverified" | "suspicious";
  readonly mailFrom?: string | null;
  readonly fromHeader?: string;
  readonly headers?: readonly string[];
  readonly contentType?: string;
  readonly note?: string;
}

export interface Conversation {
  readonly name: string;
  /** One line: what it is here for. */
  readonly why: string;
  /** When the first mail was about to be written. */
  readonly begins: string;
  readonly lines: readonly Line[];
}

const book: Readonly<Record<string, readonly [name: string, address: string]>> = {
  kim: ["Kim Berg", "kim.berg@northlight.example"],
  lee: ["Lee Okafor", "lee@northlight.example"],
  pat: ["Pat Novak", "pat.novak@northlight.example"],
  ana: ["Ana Silva", "ana.silva@harbour-foods.example"],
  ben: ["Ben Costa", "ben@harbour-foods.example"],
  cem: ["Cem Yildiz", "cem.yildiz@stadtwerk-elm.example"],
  dora: ["Dora Klein", "klein@stadtwerk-elm.example"],
  eva: ["Eva Lind", "eva.lind@nordvik.example"],
  finn: ["Finn Dahl", "finn@nordvik.example"],
  gao: ["Gao Wei", "gao.wei@jade-optics.example"],
  hana: ["Hana Mori", "mori@kumo-works.example"],
  ivo: ["Ivo Petrov", "ivo@petrov-bau.example"],
  jana: ["Jana Prokop", "jana.prokop@gmail.com"],
  karl: ["Karl Weber", "karl.weber@gmx.de"],
  lena: ["Lena Weber", "lena.weber@gmail.com"],
  mia: ["Mia Rossi", "mia@rossi-mobili.example"],
  nils: ["Nils Aalto", "nils.aalto@taiga-log.example"],
  olga: ["Olga Dumas", "o.dumas@clinique-du-lac.example"],
  paul: ["Paul Dumas", "p.dumas@clinique-du-lac.example"],
  quinn: ["Quinn Hale", "quinn@hale-legal.example"],
  rosa: ["Rosa Vega", "rosa.vega@vega-events.example"],
  mallory: ["M. Allory", "m.allory@cheap-freight.example"],
};

/** A short name of the book, or an address. */
export function addressOf(who: string): string {
  const known = book[who];
  return known === undefined ? who : known[1];
}

export const nameOf = (who: string): string | undefined => book[who]?.[0];
