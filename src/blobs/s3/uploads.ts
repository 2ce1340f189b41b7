/** Uploads that a killed process began: no listing of objects shows them, and they are paid for. */
import { callMs, type S3 } from "./client.ts";

interface Markers {
  readonly KeyMarker?: string;
  readonly UploadIdMarker?: string;
}

/** Returns how many. `olderThan` in epoch ms. */
export async function abortOld(
  { sdk, calls }: S3,
  where: { readonly Bucket: string; readonly Prefix: string },
  olderThan: number,
): Promise<number> {
  let aborted = 0;
  for (let markers: Markers | undefined = {}; markers !== undefined; ) {
    const page = await listed(markers);
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (Key === undefined || UploadId === undefined || (Initiated?.getTime() ?? olderThan) >= olderThan) continue;
      const { Bucket } = where;
      await calls.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }), soon());
      aborted += 1;
    }
    const { IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker } = page;
    const isMore: boolean = IsTruncated === true && KeyMarker !== undefined;
    markers = isMore ? markersOf(KeyMarker, NextUploadIdMarker) : undefined;
  }
  return aborted;

  function listed(markers: Markers) {
    return calls.send(new sdk.ListMultipartUploadsCommand({ ...where, ...markers }), soon());
  }
}

function markersOf(KeyMarker: string | undefined, UploadIdMarker: string | undefined): Markers {
  return {
    ...(KeyMarker === undefined ? {} : { KeyMarker }),
    ...(UploadIdMarker === undefined ? {} : { UploadIdMarker }),
  };
}

const soon = () => ({ abortSignal: AbortSignal.timeout(callMs) });
