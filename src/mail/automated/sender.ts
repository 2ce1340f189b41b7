/** Tells by an address or a name alone that nobody sits behind it. */
import type { Address } from "../../model/event.ts";

type Sender = Pick<Address, "email" | "name">;

const mailerDaemon = /^(?:mailer[-_.]?daemon|mail-?daemon)$/i;
const mailSystem =
  /^(?:postmaster|mail-?delivery[\w.-]{0,60}|mail\.delivery[\w.-]{0,60}|microsoftexchange[0-9a-f]{0,40})$/i;
const mailSystemName =
  /\bmailer[- ]?daemon\b|\bmail delivery (?:system|subsystem|service)\b|\bpostmaster\b|\bmail ?administrator\b/i;

const noReply =
  /^(?:no|do[-_.]?not|don'?t|ne[-_.]?pas)[-_.]?(?:reply|respond|repondre|responder)|(?:^|[-_.+])(?:no-?reply|donotreply)(?:$|[-_.+])|^(?:no-?responder|n[aã]o-?respond[ae]r?|nao[-_.]responda|nicht[-_.]?antworten|antwort[-_.]?nicht|non[-_.]?rispondere|niet[-_.]?(?:beantwoorden|reageren)|svara[-_.]?(?:inte|ej)|ikke[-_.]?svar|nie[-_.]?odpowiadaj|neodpovidat)$|^bounces?\+|^(?:mailer-daemon)$/i;

export const localPart = (sender: Sender | null): string => sender?.email?.split("@")[0] ?? "";

/** Only a mail system uses this local part. */
export const isMailerDaemon = (sender: Sender | null): boolean =>
  mailerDaemon.test(localPart(sender)) ||
  (sender !== null && sender.email === null && /^mailer-daemon\b/i.test(sender.name));

/** Mail systems use these, and so does the person who runs one. What decided, or null. */
export function mailSystemSign(sender: Sender | null): string | null {
  if (sender === null) return null;
  const local = localPart(sender);
  if (mailerDaemon.test(local) || mailSystem.test(local)) return local;
  return mailSystemName.test(sender.name) ? sender.name : null;
}

export const takesNoReply = (sender: Sender | null): boolean => noReply.test(localPart(sender));
