/** The configuration: every key, its meaning, its limits and its default, said once. */
import { z } from "zod";
import { attachments, clamd, previews } from "./attachments.ts";
import { http, links } from "./http.ts";
import { destinationSettings, imapSettings, smtpSettings } from "./leaves.ts";
import { isNetwork, isServer } from "./networks.ts";
import type { Outline } from "./outline.ts";
import { people } from "./people.ts";
import { isRecipientPattern } from "./recipients.ts";
import { storage } from "./storage.ts";
import { duration, size } from "./units.ts";

const identifier = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
  error: "lower-case letters, digits and hyphens, beginning with a letter or digit",
});
const path = z.string().min(1).meta({ path: true });

const log = z
  .strictObject({
    level: z
      .enum(["debug", "info", "warn", "error"])
      .default("info")
      .describe("The least important lines that are written. No level prints a body, an address or a secret."),
  })
  .describe("Logging, as lines of JSON on standard output.");

const limits = z
  .strictObject({
    max_message_bytes: size
      .prefault("35MiB")
      .describe("The largest message taken; a larger one is refused with 552 5.3.4."),
    inline_bytes: size
      .prefault("64KiB")
      .describe(
        "Messages up to this size are kept in the ledger itself until they are processed, larger ones in a file of their own.",
      ),
    backlog: z
      .int()
      .min(1)
      .default(1_000_000)
      .describe("Messages that may wait; beyond it new mail is put off with 452 4.3.1."),
    disk_reserve_bytes: size
      .prefault("1GiB")
      .describe(
        "Free space that is left alone on the disk of data_dir, in bytes; the larger of the two reserves counts.",
      ),
    disk_reserve_percent: z
      .number()
      .min(0)
      .max(90)
      .default(5)
      .describe("Free space that is left alone on the disk of data_dir, in percent of the disk."),
    parse_children: z
      .int()
      .min(2)
      .max(64)
      .default(2)
      .describe(
        "Child processes that read messages. Never fewer than two, so that a poisonous message does not hold up the others.",
      ),
  })
  .describe("How much is taken before mail is put off or refused.");

const seal = z
  .strictObject({
    key: z
      .string()
      .regex(/^([0-9a-fA-F]{64}|[A-Za-z0-9+/]{43}=?)$/, { error: "32 bytes as 64 hexadecimal digits or as base64" })
      .optional()
      .meta({ secret: true })
      .describe(
        "The master key for everything kept at rest: 32 bytes as 64 hexadecimal digits or base64, best as ${file:...} or ${env:...}. Without it, data_dir/master.key is made on first start with mode 0600; keep a copy of it.",
      ),
  })
  .describe("Encryption of stored mail.");

const retention = z
  .strictObject({
    raw: duration.prefault("90d").describe("Age at which the raw bytes of settled messages are deleted."),
    event: duration
      .prefault("90d")
      .describe(
        "Age at which the event bodies of settled messages are deleted. Identities and CRM ids stay: they keep doubles away.",
      ),
    attachment: duration
      .prefault("90d")
      .describe(
        "Age at which the files of mails are deleted, counted from the last mail that carries them. A link to one says then that it was removed, and when.",
      ),
    quarantined: duration
      .prefault("30d")
      .describe("Age at which files that are in quarantine are deleted, when nobody has decided by then."),
    preview: duration
      .prefault("30d")
      .describe(
        "Age at which the small pictures of files are deleted. Whoever asks for one after that has it made again.",
      ),
    audit: duration
      .prefault("730d")
      .describe("Age at which the audit trail (who opened which file, who decided what) is forgotten."),
  })
  .describe("How long mail is kept once it is settled.");

const retry = z
  .strictObject({
    first_delay: duration
      .prefault("5s")
      .describe("Pause before the second try; each further pause is twice as long, up to an hour."),
    window_hours: z
      .number()
      .min(1)
      .max(8_760)
      .default(72)
      .describe("How long a delivery is tried, with growing pauses, before it becomes a dead letter."),
  })
  .describe("Patience with a CRM that does not answer.");

const review = z
  .strictObject({
    sample: z
      .int()
      .min(0)
      .max(1_000_000)
      .default(100)
      .describe(
        "One in so many delivered mails is drawn for a person to compare with what the CRM holds: `mailwright review list --sampled`. 0: none.",
      ),
  })
  .describe("What is put before a person.");

const dns = z
  .strictObject({
    servers: z
      .array(z.string().refine(isServer, { error: "an address (192.0.2.53) or an address and port (192.0.2.53:5353)" }))
      .default([])
      .describe("Name servers to ask, `address` or `address:port`. Empty: those of the system."),
    timeout: duration
      .prefault("5s")
      .describe("How long one question may take, repeats included; all questions of a message end within 10 s."),
    verify: z
      .boolean()
      .default(true)
      .describe(
        "Verify who sent a mail: SPF, DKIM, DMARC and ARC. false: DNS is never asked, and every sender is unverified.",
      ),
  })
  .describe("DNS, which says whether a mail comes from the domain that it names.");

const trust = z
  .strictObject({
    create_contact: z
      .enum(["verified", "aligned-weak", "unverified"])
      .default("unverified")
      .describe("The lowest trust in a sender at which an unknown one becomes a new contact."),
    authserv_ids: z
      .array(z.string().min(1).max(255))
      .max(100)
      .default([])
      .describe(
        "Hosts whose Authentication-Results header counts, by the name that it begins with (`mx.google.com`): those that take mail in for you. Only the topmost header is looked at, and only on mail that others received for you: by IMAP or webhook, from a file, or through `relays`. Name no host that leaves such a header in place when a stranger wrote it.",
      ),
    arc_sealers: z
      .array(z.string().min(1).max(255).toLowerCase())
      .max(100)
      .default([])
      .describe(
        "Domains of forwarders and mailing lists whose ARC seal is believed (`d=` of the seal: `google.com`): mail that they changed on its way counts as proven when they say that it was. Name only those who seal what they saw, and nothing else.",
      ),
    relays: z
      .array(z.string().refine(isNetwork, { error: "an address or a network (192.0.2.0/24, 2001:db8::/32)" }))
      .max(1_000)
      .default([])
      .describe(
        "Mail servers of your own that hand mail on to Mailwright by SMTP. Their address says nothing of the sender, so SPF is taken from their Authentication-Results header, where `authserv_ids` names it.",
      ),
  })
  .describe("What the sender of a mail has to show before records are made.");

const mark = z.number().min(0).max(1);
const threads = z
  .strictObject({
    join: mark
      .default(0.8)
      .describe(
        "The score from which on a mail is joined to a thread without asking. What ids, tokens and people say comes to a score.",
      ),
    review: mark
      .default(0.5)
      .describe(
        "The score from which on a mail is joined and listed for review; below it, it begins a thread. Not above `join`.",
      ),
    window: duration
      .prefault("30d")
      .describe("How long after each other two mails with one subject, and no id that says so, may be of one thread."),
  })
  .refine(({ join, review }) => review <= join, {
    error: "review is above join: it has to be at or below it",
    path: ["review"],
  })
  .describe("Which thread a mail belongs to, where that is not certain.");

/** Every destination's own settings with the two keys that all have. What else a type has is known to its schema, not to the types here. */
type DestinationForm = z.ZodObject<{ id: typeof identifier; type: z.ZodLiteral<string> }>;
const [firstDestination, ...otherDestinations] = destinationSettings.map(({ name, settings }): DestinationForm => {
  const id = identifier.describe("Name of this destination; together with the tenant it names the lane: `acme/crm`.");
  const type = z.literal(name).describe("Which CRM it is.");
  return settings.safeExtend({ id, type }).strict();
});
if (firstDestination === undefined) throw new Error("there is no destination type");
const destination = z.discriminatedUnion("type", [firstDestination, ...otherDestinations]);

const tenant = z.strictObject({
  id: identifier.describe(
    "Name of the tenant, in commands, metrics and keys. Changing it makes its known mail unknown.",
  ),
  recipients: z
    .array(
      z.string().refine(isRecipientPattern, {
        error: "an address (deals@inbound.example.com) or a whole domain (*@inbound.example.com)",
      }),
    )
    .default([])
    .describe(
      "The addresses that are this tenant's: `deals@inbound.example.com`, or `*@inbound.example.com` for a whole domain. Tags are implied: deals@ takes deals+us-east@. Everything else is refused with 550. A tenant whose mailboxes are read (`imap`) needs none.",
    ),
  mapping: path
    .optional()
    .describe("File with this tenant's mapping rules (docs/mapping.md). Without it the built-in rules decide."),
  imap: z
    .array(imapSettings)
    .default([])
    .describe("Mailboxes that are read by IMAP, from now on: what comes after the first look (docs/imap.md)."),
  people: people.prefault({}),
  trust: trust.prefault({}),
  threads: threads.prefault({}),
  storage: storage
    .optional()
    .describe("Where this tenant's mails and files are kept; without it, as `storage` says for all."),
  attachments: attachments.prefault({}),
  destinations: z
    .array(destination)
    .min(1)
    .prefault([{ id: "crm", type: "local" }])
    .describe("The CRMs that get this tenant's mail."),
});

export const configuration = z
  .strictObject({
    data_dir: path
      .default("./data")
      .describe("Folder for the ledger, the sealed mail and the built-in CRM. One daemon per folder."),
    smtp: smtpSettings.prefault({}),
    http: http.prefault({}),
    links: links.prefault({}),
    dns: dns.prefault({}),
    log: log.prefault({}),
    limits: limits.prefault({}),
    seal: seal.prefault({}),
    storage: storage
      .prefault({ type: "files" })
      .describe("Where the mails and files of all tenants are kept that name no store of their own."),
    former_storage: z
      .array(storage)
      .max(20)
      .default([])
      .describe(
        "Stores of before: nothing more is put there, and what is there stays readable until it is past its age. Local files always are, and need not be named.",
      ),
    clamd: clamd.optional(),
    previews: previews.prefault({}),
    retention: retention.prefault({}),
    retry: retry.prefault({}),
    review: review.prefault({}),
    tenants: z
      .array(tenant)
      .min(1)
      .describe("Who gets mail: at least one tenant, each with addresses, rules and CRMs of its own."),
  })
  .describe("Mailwright's configuration.");
export type Configuration = z.output<typeof configuration>;

/** The JSON Schema of the file before defaults; `secret` and `path` mark values as this program treats them. */
export const configurationOutline = z.toJSONSchema(configuration, { io: "input" }) as Outline;
