/** Takes the lock of a data folder, forgets the handle, collects garbage, and stays until it is killed. */
import { lockDataFolder } from "../../../src/store/lock.ts";

lockDataFolder(process.argv[2] ?? "");
(globalThis as { gc?: () => void }).gc?.();
process.stdout.write("locked\n");
setInterval(() => undefined, 60_000);
