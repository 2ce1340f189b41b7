/** Calls for records that several messages share, whose outcome is not known: who asks for one of them must not make it a second time. */

export interface UnclearQuery {
  readonly lane: string;
  /** What more than one message can ask for: its sender, their company, the deal of its thread. */
  readonly kind: "person" | "company" | "deal";
  readonly key: string;
  /** The delivery that asks. */
  readonly except: number;
}

export interface Unclear {
  /** When the call will have ended at the latest (epoch ms). */
  readonly deadline: number;
  /** Its delivery is still worked; otherwise nobody looks any more. */
  readonly pending: boolean;
}

/** The ledger's part. */
export interface UnclearCalls {
  /** Of another delivery than `except`: the latest call for this record that got no clear answer; null where there is none. */
  unclear(query: UnclearQuery): Promise<Unclear | null>;
}
