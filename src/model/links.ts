/** Signed links to files: what the CRM is given, and what comes back when somebody opens one. */

/** Makes the link of a file. Pure, so that the same mail planned again has the same link. */
export type LinkOf = (file: string, receivedAt: number) => string;

/** As a link carries them. Hostile until `read` has said what they are. */
export interface LinkParts {
  readonly id: string;
  /** Of the file's preview: signed as such, so that the one link is of no use for the other. */
  readonly preview?: boolean;
  readonly expiry: string | undefined;
  readonly keyId: string | undefined;
  readonly signature: string | undefined;
}

export type ReadLink =
  /** Not made by us, or with a key that is not in use any more, or changed since. */
  | { readonly kind: "forged" }
  | { readonly kind: "valid" | "expired"; readonly id: string /** Epoch ms. */; readonly until: number };

export interface Links {
  /** From when it was received, for as long as `links.ttl`. */
  readonly of: LinkOf;
  /** To the small picture of a picture, for as long as `of`. */
  previewOf(file: string, receivedAt: number): string;
  /** One that ends then (epoch ms). */
  previewUntil(file: string, until: number): string;
  /** A link that ends then (epoch ms). */
  until(file: string, until: number): string;
  /** Compares in constant time. */
  read(parts: LinkParts, now: number): ReadLink;
}
