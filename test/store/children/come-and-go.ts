/** Opens the ledger and closes it again, as commands beside a daemon do, as often as it is told. */
import { openLedger } from "../../../src/store/index.ts";

const [path = "", times = ""] = process.argv.slice(2);
for (let n = 0; n < Number(times); n++) {
  const ledger = await openLedger({ path, thread: "calling", check: "none" });
  await ledger.close();
}
