/** What an event says of its files: the same name for the same file, whenever it is asked, and what its row knows. */
import { describe, expect, test } from "vitest";
import type { Attachment, CanonicalEvent } from "../../src/model/event.ts";
import type { FileRow } from "../../src/model/files.ts";
import { fileId, newFiles, withFiles } from "../../src/pipeline/filed.ts";
import { attachmentWith } from "../support/attachment.ts";

const attachment = (part_id: string, sha256 = "ab".repeat(32)): Attachment =>
  attachmentWith({ part_id, sha256, filename: `offer-${part_id}.pdf` });

const eventWith = (...attachments: Attachment[]) =>
  ({ tenant: "acme", message: { message_id: "<m@people.test>", attachments } }) as unknown as CanonicalEvent;

const rowOf = (id: string, changes: Partial<FileRow>): FileRow => ({
  id,
  partId: "2",
  filename: "offer.pdf",
  contentType: "application/pdf",
  detectedType: null,
  size: 3,
  sha256: "ab".repeat(32),
  inline: false,
  eventId: "event",
  tenant: "acme",
  receivedAt: 1,
  status: "stored",
  reason: null,
  storeKey: "mem:key",
  storedAt: 1,
  inspection: null,
  scan: { status: "clean", engine: "ClamAV 1.4.6", signatures: "27500", at: 1_000, detail: null },
  decision: null,
  by: "mailwright",
  at: 1,
  note: null,
  ...changes,
});

describe("the id of a file", () => {
  const [one, two] = [attachment("2"), attachment("3")];

  test("is 32 hex digits, from the mail alone", () => {
    expect(fileId(eventWith(one), "digest", one)).toMatch(/^[0-9a-f]{32}$/);
    expect(fileId(eventWith(one, two), "digest", one)).toBe(fileId(eventWith(one), "digest", one));
  });

  test("is another for another part, content, message, digest and tenant", () => {
    const event = eventWith(one);
    const ids = [
      fileId(event, "digest", one),
      fileId(event, "digest", two),
      fileId(event, "digest", attachment("2", "cd".repeat(32))),
      fileId(event, "other", one),
      fileId({ ...event, tenant: "umbrella" }, "digest", one),
      fileId({ tenant: "acme", message: { message_id: null } }, "digest", one),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("an event with files", () => {
  test("lists one row for each, also where two have the same content and name", () => {
    const event = eventWith(attachment("2"), attachment("3"));
    expect(newFiles(event, "digest").map(({ partId, filename }) => [partId, filename])).toEqual([
      ["2", "offer-2.pdf"],
      ["3", "offer-3.pdf"],
    ]);
  });

  test("says that those without a row are being checked", () => {
    const [found] = withFiles(eventWith(attachment("2")), "digest", []).message.attachments;
    expect(found).toMatchObject({ status: "checking", status_reason: null, storage_ref: null });
    expect(found?.av).toEqual({ status: "pending", engine: null, signature_db: null, at: null });
    expect(found?.file_id).toHaveLength(32);
  });

  test("says of the others what their rows know", () => {
    const event = eventWith(attachment("2"), attachment("3"));
    const [first, second] = event.message.attachments;
    if (first === undefined || second === undefined) throw new Error("two attachments");
    const rows = [
      rowOf(fileId(event, "digest", second), { status: "quarantined", reason: "It has macros." }),
      rowOf(fileId(event, "digest", first), {}),
      rowOf("f".repeat(32), { status: "refused" }),
    ];
    expect(withFiles(event, "digest", rows).message.attachments).toMatchObject([
      {
        status: "stored",
        status_reason: null,
        storage_ref: "mem:key",
        av: { status: "clean", engine: "ClamAV 1.4.6", signature_db: "27500", at: "1970-01-01T00:00:01.000Z" },
      },
      { status: "quarantined", status_reason: "It has macros." },
    ]);
  });

  test("is left alone when it has none", () => {
    const event = eventWith();
    expect(withFiles(event, "digest", [])).toBe(event);
    expect(newFiles(event, "digest")).toEqual([]);
  });
});
