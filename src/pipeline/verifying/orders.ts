/** What the two sides of the verifying thread say to each other. */
import type { Received } from "../../mail/trust.ts";
import type { Evidence } from "../../model/event.ts";

export type Order =
  | { readonly kind: "begin"; readonly id: number; readonly received: Received; readonly whole?: Uint8Array }
  | { readonly kind: "chunk"; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: "end"; readonly id: number }
  /** Nobody wants it any more. */
  | { readonly kind: "drop"; readonly id: number }
  | { readonly kind: "close" };

export type Report =
  | { readonly kind: "ready" }
  /** One chunk has been worked. */
  | { readonly kind: "took"; readonly id: number }
  | { readonly kind: "done"; readonly id: number; readonly evidence: Evidence }
  /** An error that nobody foresaw. */
  | { readonly kind: "broke"; readonly id: number; readonly why: string };

/** Two numbers that both sides see, also while the thread does not answer. */
export const shared = {
  bytes: 8,
  /** The message that it works on. */ current: 0,
  /** Counts up while it is alive. */ beat: 1,
} as const;
export const beatEveryMs = 250;

/**
 * What one side says in one turn goes in one message, orders with the bytes that they give away, reports as one text: posting each by itself took
 * a seventh of the thread's time, and cloning evidence field by field took more than writing and reading it.
 */
export type Orders = readonly Order[];
export type Reports = string;

export function openOrdering(post: (orders: Orders, transferred: ArrayBuffer[]) => void) {
  let orders: Order[] = [];
  let bytes: ArrayBuffer[] = [];
  return (order: Order, transferred: readonly ArrayBuffer[] = []): void => {
    bytes.push(...transferred);
    if (orders.push(order) > 1) return;
    setImmediate(() => {
      const given = bytes;
      const gathered = orders;
      orders = [];
      bytes = [];
      post(gathered, given);
    });
  };
}

/** Reports in one text at most while there is more to do. */
const mostReports = 8;

/** While the thread is `busy` it has turns enough: waking the other side costs it more than some milliseconds cost a message. */
export function openReporting(post: (reports: Reports) => void, busy: () => boolean): (report: Report) => void {
  let reports: Report[] = [];
  const turn = (): void => {
    if (busy() && reports.length < mostReports) {
      setImmediate(turn);
      return;
    }
    const gathered = reports;
    reports = [];
    post(JSON.stringify(gathered));
  };
  return (report) => {
    if (reports.push(report) === 1) setImmediate(turn);
  };
}

export const readReports = (reports: Reports): readonly Report[] => JSON.parse(reports) as readonly Report[];
