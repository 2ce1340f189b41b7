/** MEMORY as others see it: the ledger, the tables of the built-in CRM, the lock of the data folder. */
export { type BackedUp, backupLedger, backupLocalRecords, verifyLedger } from "./backup.ts";
export { StoreFailed } from "./failed.ts";
export { openKeptTokens } from "./kept-tokens.ts";
export { openLocalRecords, openLocalRecordsToRead } from "./local-crm.ts";
export { type DataFolderLock, lockDataFolder } from "./lock.ts";
export { type LedgerOptions, openLedger, type SqliteLedger } from "./open-ledger.ts";
export { openRemembered, openStoredMails } from "./read-only.ts";
export { type Recovered, recoverLedger, type TableReport } from "./recover.ts";
