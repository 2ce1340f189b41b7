/** A log that says nothing, for tests that ask what was done and not what was told. */
import type { Log } from "../../src/model/ports.ts";

const nothing = (): void => undefined;
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, with: () => silentLog };
