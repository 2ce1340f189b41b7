/** The Ledger contract: every engine runs this one suite. It speaks ledger words only, and knows no engine. */
import { describe } from "vitest";
import { acceptContract } from "./contract/accept.ts";
import { acquaintanceContract } from "./contract/acquaintance.ts";
import { bindContract, claimContract, pauseContract, renewContract } from "./contract/claim.ts";
import { filesContract } from "./contract/files.ts";
import { findContract, retireContract, statsContract } from "./contract/find.ts";
import { imapContract } from "./contract/imap.ts";
import { mappingsContract } from "./contract/mappings.ts";
import { attemptContract, prepareContract } from "./contract/prepare.ts";
import { previewsContract } from "./contract/previews.ts";
import { requeueContract } from "./contract/requeue.ts";
import { reviewContract } from "./contract/reviews.ts";
import { runsContract } from "./contract/runs.ts";
import { settleContract } from "./contract/settle.ts";
import { sweepContract } from "./contract/sweep.ts";
import { threadsContract } from "./contract/threads.ts";
import { tokensContract } from "./contract/tokens.ts";
import type { OpenBench } from "./contract/world.ts";

export type { Bench, OpenBench } from "./contract/world.ts";

/** `open` gives a fresh, empty ledger each time. */
export function ledgerContract(engine: string, open: OpenBench): void {
  describe(`the ledger on ${engine}`, () => {
    acceptContract(open);
    attemptContract(open);
    prepareContract(open);
    acquaintanceContract(open);
    claimContract(open);
    renewContract(open);
    bindContract(open);
    pauseContract(open);
    runsContract(open);
    settleContract(open);
    requeueContract(open);
    findContract(open);
    reviewContract(open);
    statsContract(open);
    retireContract(open);
    threadsContract(open);
    mappingsContract(open);
    filesContract(open);
    previewsContract(open);
    sweepContract(open);
    imapContract(open);
    tokensContract(open);
  });
}
