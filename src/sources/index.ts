/** The sources of mail, sorted, one a line. */
export { type SmtpSettings, smtpSettings } from "./smtp/settings.ts";
export { smtp } from "./smtp.ts";
