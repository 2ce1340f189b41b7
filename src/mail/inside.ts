/** Decides which parts are looked into, and by which reader. */
import type { Inside } from "./collect.ts";
import { readOutlookItem } from "./outlook.ts";
import type { PartHead } from "./part.ts";
import { readTnef } from "./tnef.ts";

/** `message` reads a message inside the message. */
export function lookInside(head: PartHead, message: () => Inside): Inside | undefined {
  const name = head.filename?.toLowerCase() ?? "";
  switch (head.type) {
    case "message/rfc822":
    case "message/global":
    case "text/rfc822-headers":
      return message();
    case "application/ms-tnef":
    case "application/vnd.ms-tnef":
      return readTnef();
    case "application/vnd.ms-outlook":
    case "application/x-msg":
      return name.endsWith(".eml") ? message() : readOutlookItem();
    default:
      // Webmailers and gateways that know nothing of mail name these by their extension alone.
      if (name === "winmail.dat") return readTnef();
      if (name.endsWith(".eml")) return message();
      return name.endsWith(".msg") ? readOutlookItem() : undefined;
  }
}
