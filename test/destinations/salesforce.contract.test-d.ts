/**
 * Holds our request bodies against the types of jsforce, which nobody here wrote. Checked by `tsc --noEmit` alone: nothing of it is loaded.
 * Its fields stand beside an index signature, which would let every misspelt name pass and is taken off.
 */
import type { StandardSchema } from "@jsforce/jsforce-node";
import type {
  accountBody,
  contactBody,
  emailBody,
  leadBody,
  opportunityBody,
  ownFields,
  relationBody,
  roleBody,
} from "../../src/destinations/salesforce/bodies.ts";

type Sobjects = StandardSchema["SObjects"];
/** Times are branded there; what goes over the wire is the string. */
type Plain<T> = T extends string ? string : T;
type Known<T> = { readonly [K in keyof T as string extends K ? never : K]?: Plain<T[K]> | undefined };
type Fields<Name extends keyof Sobjects> = Known<Sobjects[Name]["Fields"]>;
/** Ours, and what an org has only where somebody made record types: jsforce's schema is of one that has none. */
type Own = (typeof ownFields)[keyof typeof ownFields] | "RecordTypeId";

/** True only when the body fits and names no field that theirs does not have, our own ones aside. */
type Fits<Body, Theirs> =
  Exclude<keyof Body, keyof Theirs | Own> extends never
    ? Omit<Body, Own> extends Theirs
      ? true
      : "a field of another type"
    : "an extra field";

export const bodies: readonly true[] = [
  true satisfies Fits<ReturnType<typeof contactBody>, Fields<"Contact">>,
  true satisfies Fits<ReturnType<typeof leadBody>, Fields<"Lead">>,
  true satisfies Fits<ReturnType<typeof accountBody>, Fields<"Account">>,
  true satisfies Fits<ReturnType<typeof opportunityBody>, Fields<"Opportunity">>,
  true satisfies Fits<ReturnType<typeof emailBody>, Fields<"EmailMessage">>,
  true satisfies Fits<ReturnType<typeof relationBody>, Fields<"EmailMessageRelation">>,
  true satisfies Fits<ReturnType<typeof roleBody>, Fields<"OpportunityContactRole">>,
];

/** The check itself can fail: each of these is a mistake that it has to see. */
export const mistakes = [
  "an extra field" satisfies Fits<{ Subjct: string }, Fields<"EmailMessage">>,
  "a field of another type" satisfies Fits<{ Incoming: "yes" }, Fields<"EmailMessage">>,
  "an extra field" satisfies Fits<{ LastName: string; Mailwright_Kye__c: string }, Fields<"Contact">>,
];
