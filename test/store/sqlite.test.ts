/** The SQLite engine keeps the Ledger contract, on the calling thread and in a worker thread. */
import { openLedger } from "../../src/store/index.ts";
import { type Bench, ledgerContract } from "./contract.ts";
import { makeFolder } from "./folder.ts";

for (const thread of ["calling", "worker"] as const) {
  ledgerContract(`SQLite, ${thread} thread`, async (): Promise<Bench> => {
    const folder = makeFolder();
    const open = () => openLedger({ path: folder.file("ledger.sqlite"), thread });
    const first = await open();
    let ledger = first;
    return {
      ledger: first,
      async reopen() {
        await ledger.close();
        ledger = await open();
        return ledger;
      },
      async end() {
        await ledger.close();
        folder.remove();
      },
    };
  });
}
