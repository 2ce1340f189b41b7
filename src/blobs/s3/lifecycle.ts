/** Our rules by age among those of a bucket: ours are replaced, everybody else's stay as they are. */
import { createHash } from "node:crypto";
import type * as Sdk from "@aws-sdk/client-s3";
import { type ExpiryRule, type LifecycleChange, LifecycleUnsupported } from "../lifecycle.ts";
import { property, words } from "../words.ts";
import { callMs, type S3 } from "./client.ts";
import { isCalled, statusOf } from "./errors.ts";

interface Wanted {
  readonly prefix: string;
  readonly rules: readonly ExpiryRule[];
  readonly dryRun: boolean;
  readonly title: string;
}

const soon = () => ({ abortSignal: AbortSignal.timeout(callMs) });

export async function applyLifecycle({ sdk, calls }: S3, Bucket: string, wanted: Wanted): Promise<LifecycleChange> {
  const { prefix, rules, dryRun, title } = wanted;
  try {
    const found = await current();
    const existing = found?.Rules ?? [];
    const isOurs = ours(prefix);
    const others = existing.filter((rule) => !isOurs(rule));
    const before = existing.filter(isOurs);
    const after = rules.map((rule) => lifecycleRule(rule, prefix));
    const isChange = JSON.stringify(before.map(shown)) !== JSON.stringify(after.map(shown));
    if (!dryRun && isChange) {
      // The call replaces the whole configuration, so all of it is said again.
      const size = found?.TransitionDefaultMinimumObjectSize;
      await calls.send(
        new sdk.PutBucketLifecycleConfigurationCommand({
          Bucket,
          LifecycleConfiguration: { Rules: [...others, ...after] },
          ...(size === undefined ? {} : { TransitionDefaultMinimumObjectSize: size }),
        }),
        soon(),
      );
    }
    return { before: before.map(shown), after: after.map(shown), others: others.length };
  } catch (error) {
    if (!isUnsupported(error)) throw error;
    const said = `${words(property(error, "name"))}: ${words(property(error, "message"))}`;
    throw new LifecycleUnsupported(`${title} takes no rules by age (${said}): the daemon's own sweep deletes there`, {
      cause: error,
    });
  }

  async function current(): Promise<Sdk.GetBucketLifecycleConfigurationCommandOutput | undefined> {
    try {
      return await calls.send(new sdk.GetBucketLifecycleConfigurationCommand({ Bucket }), soon());
    } catch (error) {
      if (isCalled(error, "NoSuchLifecycleConfiguration")) return undefined;
      throw error;
    }
  }
}

/** Swift answers MalformedXML to what it does not know, others NotImplemented or 405. */
function isUnsupported(error: unknown): boolean {
  const status = statusOf(error);
  return isCalled(error, "NotImplemented", "MalformedXML", "MethodNotAllowed") || status === 501 || status === 405;
}

/** One bucket may serve several installations, each below a prefix of its own. */
function idOf(name: string, prefix: string): string {
  const place = prefix === "" ? "" : `-${createHash("sha256").update(prefix).digest("hex").slice(0, 8)}`;
  return `mailwright-${name}${place}`;
}

const endsInPlace = /-[0-9a-f]{8}$/;

function ours(prefix: string): (rule: Sdk.LifecycleRule) => boolean {
  const place = endsInPlace.exec(idOf("", prefix))?.[0];
  return ({ ID = "" }) => ID.startsWith("mailwright-") && endsInPlace.exec(ID)?.[0] === place;
}

function lifecycleRule({ class: name, prefix: Prefix, days }: ExpiryRule, prefix: string): Sdk.LifecycleRule {
  return {
    ID: idOf(name, prefix),
    Status: "Enabled",
    Filter: { Prefix },
    Expiration: { Days: days },
    // A bucket with versions would keep what was deleted for ever.
    NoncurrentVersionExpiration: { NoncurrentDays: 1 },
    // Parts of an upload that a killed process began.
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 },
  };
}

function shown({ ID, Filter, Expiration, Status }: Sdk.LifecycleRule): string {
  const state = Status === "Enabled" ? "" : ", disabled";
  return `${words(ID ?? "")}: ${words(Filter?.Prefix ?? "")} is deleted after ${Expiration?.Days ?? "?"} days${state}`;
}
