/** REPLIES: every answer of ours to an SMTP peer: basic code (RFC 5321 §4.2), enhanced code (RFC 3463) and text. */
import { NotAccepted, type Receipt } from "../../model/source.ts";

export interface Reply {
  readonly code: number;
  /** Enhanced status code, `5.7.1`; none at 354, which has no class for one (RFC 2034 §4). */
  readonly status: string;
  /** For a person; never anything the peer sent. */
  readonly text: string;
  /** The whole line as it goes out. */
  readonly wire: string;
}

/** `status` may be empty. */
export const reply = (code: number, status: string, text: string): Reply => ({
  code,
  status,
  text,
  wire: line(`${code} ${status}${status && " "}${text}`),
});

/** One line for each text (RFC 5321 §4.2.1), the status on all of them (RFC 2034 §4). */
export function multiline(code: number, status: string, texts: readonly string[]): string {
  const last = texts.length - 1;
  return texts.map((text, at) => line(`${code}${at < last ? "-" : " "}${status}${status && " "}${text}`)).join("");
}

/** Nothing within a line may end it: some of the texts are smtp-server's, and may hold what the peer sent. */
const line = (text: string): string => `${text.replace(controls, " ")}\r\n`;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not get out.
const controls = /[\u0000-\u001f\u007f-\u009f]/g;

export const replies = {
  senderOk: reply(250, "2.1.0", "Ok"),
  recipientOk: reply(250, "2.1.5", "Ok"),
  startMail: reply(354, "", "End data with <CR><LF>.<CR><LF>"),
  bye: reply(221, "2.0.0", "Bye"),

  // Connections. 421 closes (RFC 5321 §3.8), and asks the peer to come again.
  tooManyConnections: reply(421, "4.7.0", "Too many connections, try again later"),
  tooManyFromClient: reply(421, "4.7.0", "Too many connections from your address, try again later"),
  connectingTooOften: reply(421, "4.7.0", "Your address connects too often, try again later"),
  earlyTalker: reply(421, "4.7.0", "You talk too soon: wait for the greeting"),
  httpRequest: reply(421, "4.7.0", "This is SMTP, not HTTP"),
  lineEndless: reply(421, "4.7.0", "Command line too long"),
  tooManyErrors: reply(421, "4.7.0", "Too many errors"),
  tooManyCommands: reply(421, "4.7.0", "Too many commands"),
  sessionTooLong: reply(421, "4.4.2", "Session lasted too long, connect again"),
  commandTooSlow: reply(421, "4.4.2", "Timeout waiting for a command"),
  idle: reply(421, "4.4.2", "Idle for too long"),
  dataTooSlow: reply(421, "4.4.2", "Message data came too slowly"),
  shuttingDown: reply(421, "4.3.2", "Shutting down, try again later"),

  // Commands.
  lineTooLong: reply(500, "5.5.2", "Command line too long"),
  unknownCommand: reply(500, "5.5.2", "Command not recognized"),
  bareNewlineCommand: reply(500, "5.5.2", "Command lines end with CRLF"),
  nestedMail: reply(503, "5.5.1", "Nested MAIL command"),
  mailFirst: reply(503, "5.5.1", "Need MAIL before RCPT"),
  recipientFirst: reply(503, "5.5.1", "Need RCPT before DATA"),
  senderSyntax: reply(501, "5.1.7", "Bad sender address syntax"),
  recipientSyntax: reply(501, "5.1.3", "Bad recipient address syntax"),
  parameterSyntax: reply(501, "5.5.4", "Bad parameter value"),
  parameterTwice: reply(501, "5.5.4", "Parameter given twice"),
  parameterUnknown: reply(555, "5.5.4", "Parameter not recognized or not implemented"),
  // RFC 6531 §3.5: a non-ASCII address without SMTPUTF8 is answered 553 or 550 with 5.6.7.
  needsSmtpUtf8: reply(553, "5.6.7", "Non-ASCII addresses need SMTPUTF8"),

  // Recipients.
  unknownRecipient: reply(550, "5.1.1", "No such recipient here"),
  notOurs: reply(550, "5.7.1", "Relaying denied"),
  tooManyRecipients: reply(452, "4.5.3", "Too many recipients"),

  // The message itself.
  tooLarge: reply(552, "5.3.4", "Message too large"),
  loop: reply(554, "5.4.6", "Mail loop: too many hops"),
  busy: reply(452, "4.3.1", "Cannot take mail now, try again later"),
  storeFailed: reply(451, "4.3.0", "Message not stored, try again later"),
  bareNewlineData: reply(550, "5.6.11", "Message has bare CR or LF characters"),
  lineOverLimit: reply(554, "5.6.0", "Message has a line over 1 MiB"),
} as const satisfies Record<string, Reply>;

/** The text after the code on the wire, and after "code " in logs: `4.3.1 Cannot take mail now`. */
export function replyText(reply: Reply): string {
  return `${reply.status} ${reply.text}`;
}

/** Names the events, so that the sender's log leads to ours. */
export function queued(receipts: readonly Receipt[]): Reply {
  return reply(250, "2.0.0", `Ok: queued as ${receipts.map((receipt) => receipt.eventId).join(" ")}`);
}

/**
 * What the peer hears when mail was not taken. Anything unknown is our fault: 451, never a 5xx, which would bounce
 * good mail, and never smtp-server's own default of 450.
 */
export function replyTo(error: unknown): Reply {
  if (!(error instanceof NotAccepted)) return replies.storeFailed;
  const { refusal } = error;
  switch (refusal.kind) {
    case "too_large":
      return replies.tooLarge;
    case "loop":
      return replies.loop;
    case "busy":
      return replies.busy;
    case "store_failed":
      return replies.storeFailed;
    default:
      refusal satisfies never;
      return replies.storeFailed;
  }
}
