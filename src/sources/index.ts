/** The sources of mail, sorted, one a line: what the configuration has to know of each, and the code, which its start brings with it. */
export { type ImapSettings, imapSettings } from "./imap/settings.ts";
export { type SmtpSettings, smtpSettings } from "./smtp/settings.ts";

export const sources = {
  imap: () => import("./imap.ts"),
  smtp: () => import("./smtp.ts"),
};
