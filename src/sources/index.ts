/** The sources of mail, sorted, one a line. */
export { type ImapAccount, type ImapSettings, imapSettings, type RunningImap, startImap } from "./imap.ts";
export { type SmtpSettings, smtpSettings } from "./smtp/settings.ts";
export { smtp } from "./smtp.ts";
