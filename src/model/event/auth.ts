/** What is known of who sent a message: every mechanism's evidence, who verified it, and the trust that follows. */
import { z } from "zod";

/** From least to most. */
export const trustLevels = ["suspicious", "unverified", "aligned-weak", "verified"] as const;
export type TrustLevel = (typeof trustLevels)[number];

/** RFC 8601 §2.7. */
export const authResults = ["pass", "fail", "softfail", "neutral", "none", "temperror", "permerror", "policy"] as const;
export type AuthResult = (typeof authResults)[number];

const by = z
  .string()
  .describe(
    "Who verified it: mailwright, or the authserv-id of the host that a mailbox or webhook provider vouches for.",
  );
const result = z.enum(authResults).describe("RFC 8601 §2.7. temperror: DNS was down, slow or lying; never a pass.");
const aligned = z
  .enum(["strict", "relaxed"])
  .nullable()
  .describe("How the domain agrees with that of From: the same, or of the same organisation; null: it does not.");
const detail = z.string().nullable().describe("Why, in the verifier's words.");

export const spfSchema = z.object({
  result,
  domain: z.string().nullable().describe("Of MAIL FROM, or of HELO where that is `<>` (RFC 7208 §2.4)."),
  aligned,
  by,
  detail,
});

export const dkimSchema = z.object({
  result,
  domain: z.string().nullable().describe("d= of the signature."),
  selector: z.string().nullable().describe("s= of the signature."),
  algorithm: z.string().nullable().describe("a= of the signature."),
  aligned,
  short_body: z
    .boolean()
    .describe("l= leaves some of the body unsigned (RFC 6376 §8.2): such a signature proves nothing here."),
  by,
  detail,
});

export const dmarcSchema = z.object({
  result,
  domain: z.string().nullable().describe("The domain of From that was judged."),
  policy: z
    .enum(["none", "quarantine", "reject"])
    .nullable()
    .describe("What the domain asks for; null without a record."),
  by,
  detail,
});

export const arcSchema = z.object({
  result,
  sealer: z.string().nullable().describe("d= of the newest seal (RFC 8617 §4.1.3)."),
  by,
  detail,
});

export const claimedSchema = z.object({
  authserv_id: z.string().nullable().describe("Who says so; null where the header cannot be read."),
  trusted: z
    .boolean()
    .describe("The topmost block, of a host that trust.authserv_ids names, on mail that others received for us."),
  results: z
    .array(
      z.object({
        method: z.string().describe("spf, dkim, dmarc, arc…"),
        result: z.string().describe("As written."),
        properties: z.array(z.tuple([z.string(), z.string()])).describe("ptype.property and value, as written."),
      }),
    )
    .describe("As written, bounded."),
});

export const authSchema = z
  .object({
    trust: z.enum(trustLevels).describe("How sure it is that the sender of From wrote it."),
    reason: z.string().describe("Why, as a sentence."),
    reasons: z
      .array(
        z.object({
          code: z.string().describe("Stable code: part of the interface."),
          detail: z.string().nullable().describe("What was seen, in words; addresses and domains may stand in it."),
        }),
      )
      .describe("Everything that raised or lowered the trust, the deciding one first."),
    spf: spfSchema.nullable().describe("RFC 7208; null where it could not be asked: no client address."),
    dkim: z.array(dkimSchema).describe("RFC 6376: every signature that was looked at, ten at most."),
    dmarc: dmarcSchema.nullable().describe("RFC 9989 (7489); null where nothing was verified."),
    arc: arcSchema.nullable().describe("RFC 8617; null without a chain."),
    claimed: z
      .array(claimedSchema)
      .describe(
        "Authentication-Results headers (RFC 8601), topmost first: what others say, kept apart from what was verified.",
      ),
  })
  .describe("Who sent it: the evidence, and our judgement.");
export type Auth = z.infer<typeof authSchema>;
/** What verifying gives, before anybody judges it. */
export type Evidence = Pick<Auth, "spf" | "dkim" | "dmarc" | "arc" | "claimed">;

export const noEvidence: Evidence = { spf: null, dkim: [], dmarc: null, arc: null, claimed: [] };
