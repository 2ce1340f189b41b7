/** What a message may claim of itself is not remembered as if it were so. */
import { expect, test } from "vitest";
import { openHasher } from "../../../src/blobs/index.ts";
import { threadFacts } from "../../../src/mail/thread.ts";
import type { CanonicalEvent } from "../../../src/model/event.ts";
import { eventWith } from "../../mapping/fakes.ts";

const hasher = openHasher(new Uint8Array(32));
const usual = eventWith();
const through = (own: boolean, participants: Partial<CanonicalEvent["participants"]> = {}) =>
  threadFacts(
    {
      ...usual,
      message: {
        ...usual.message,
        list: { id: "sales.acme.test", unsubscribe: [], post: "mailto:sales@acme.test", one_click: false },
      },
      participants: { ...usual.participants, list: { address: "sales@acme.test", own }, ...participants },
    },
    { digest: "d", hasher },
  );

test("a list that others post to makes a member; our own shared address, which all the world writes to, does not", () => {
  expect(through(false).list).not.toBeNull();
  expect(through(true).list).toBeNull();
});

test("whom somebody else's list names as its author speaks in no conversation", () => {
  expect(through(false).sender).not.toBeNull();
  expect(through(false, { basis: "list_author" }).sender).toBeNull();
  expect(through(true, { basis: "list_author" }).sender).not.toBeNull();
});
