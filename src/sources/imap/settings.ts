/** SETTINGS of the IMAP source: one mailbox under `imap:` of a tenant. */
import { z } from "zod";
import { mailboxOauth } from "./oauth.ts";

const count = z.number().int().positive();

/** RFC 9051 §2.3.2: a keyword is an atom, and does not begin with a backslash. */
const keyword = z.string().regex(/^[A-Za-z0-9$_.-]{1,64}$/, { error: "letters, digits and $ _ . - ($Mailwright)" });

export const imapSettings = z
  .strictObject({
    id: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
        error: "lower-case letters, digits and hyphens, beginning with a letter or digit",
      })
      .describe("Name of this mailbox, in commands and metrics. Under another name it is read anew, from then on."),
    host: z.string().min(1).max(255).describe("The IMAP server."),
    port: z
      .number()
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe("Default: 993, and 143 where `tls` is not `implicit`."),
    tls: z
      .enum(["implicit", "starttls", "none"])
      .default("implicit")
      .describe(
        "implicit: encrypted from the first byte. starttls: encrypted before the login, or nothing happens. none: in clear, for a server on the same machine.",
      ),
    ca: z
      .string()
      .min(1)
      .optional()
      .describe("PEM text of a certificate authority of your own, best out of a file; default: those of Node."),
    user: z.string().min(1).max(320).describe("Whose mailbox it is, as the server calls it: mostly an address."),
    password: z
      .string()
      .min(1)
      .optional()
      .meta({ secret: true })
      .describe("Its password, best out of the environment or a file."),
    oauth: mailboxOauth.optional(),
    address: z
      .string()
      .regex(/^[^\s@]+@[^\s@]+$/, { error: "an address (ana@acme.example)" })
      .optional()
      .describe("The address of whoever owns it, who is a colleague; default: `user`, where that is an address."),
    folders: z
      .array(z.string().min(1).max(500))
      .min(1)
      .max(100)
      .default(["\\Inbox", "\\Sent"])
      .describe(
        "By special use (`\\Inbox`, `\\Sent`, `\\Archive`), by name (`Sales/Europe`), or by pattern (`Sales/*`, with `%` for one level); `!` in front leaves out. Levels are apart by `/` whatever the server writes. No pattern takes drafts, junk, trash or Gmail's All Mail.",
      ),
    idle: z.boolean().default(true).describe("Let the server tell of new mail (IDLE), where it can."),
    poll_seconds: z
      .number()
      .min(5)
      .max(1_500)
      .default(60)
      .describe("How often each folder is looked at in any case: IDLE may lie, and some servers have none."),
    connections: count
      .max(10)
      .default(2)
      .describe(
        "Most connections at a time; each waits in one folder, and the other folders are looked at every `poll_seconds`. Fewer where the server refuses.",
      ),
    after: z
      .enum(["none", "keyword", "seen", "move"])
      .default("none")
      .describe("What is done on the server to a message once it is durable here, again until it holds."),
    keyword: keyword.default("$Mailwright").describe("The keyword that `after: keyword` sets."),
    move_to: z.string().min(1).max(500).optional().describe("The folder that `after: move` moves to; it has to exist."),
    max_bytes: count
      .optional()
      .describe("Larger messages are not fetched, and listed with that reason; default: limits.max_message_bytes."),
    command_seconds: z
      .number()
      .positive()
      .default(60)
      .describe("Longest wait for an answer, or for the next piece of one; then the connection is given up."),
  })
  .refine(({ after, move_to }) => after !== "move" || move_to !== undefined, {
    error: "after is move, and there is no move_to: name the folder",
    path: ["move_to"],
  })
  .refine(({ password, oauth }) => (password === undefined) !== (oauth === undefined), {
    error: "one of password and oauth",
    path: ["password"],
  });

export type ImapSettings = z.output<typeof imapSettings>;
