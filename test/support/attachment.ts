/** An attachment as an event lists it, for tests that are about something else than its parse. */
import type { Attachment } from "../../src/model/event.ts";

export const attachmentWith = (changes: Partial<Attachment> = {}): Attachment => ({
  part_id: "2",
  filename: "offer.pdf",
  filename_original: null,
  content_type: "application/pdf",
  detected_type: "application/pdf",
  size: 3,
  sha256: "ab".repeat(32),
  disposition: "attachment",
  content_id: null,
  related: false,
  referenced: false,
  inline: false,
  description: null,
  nested_message_id: null,
  nested: null,
  from_tnef: false,
  transfer_decoded: null,
  encrypted: false,
  ...changes,
});
