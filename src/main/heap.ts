/** Tells V8 how a daemon uses memory: much of it passes through, little stays. */
import { setFlagsFromString } from "node:v8";

/**
 * Mail passes through in buffers that live for a few milliseconds, and V8 counts them with what stays. Left to itself it collects everything
 * again and again though little of it stays. With this the heap may grow to five times of what stays before that.
 */
export function tuneHeap(): void {
  setFlagsFromString("--heap-growing-percent=400");
}
