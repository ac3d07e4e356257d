import { VendorFailure } from './vendorFailure.ts';

/**
 * What a request for a part of a file gave. A server that ignores ranges sends the whole file; one that has nothing after
 * `first` says 416.
 * @param isFileMissing tells a missing file from a missing or sleeping sandbox, by status and body
 * @returns undefined: no such regular file
 */
export async function rangeBody(
  response: Response,
  first: number,
  bytes: number,
  isFileMissing: (status: number, body: string) => boolean,
): Promise<Buffer | undefined> {
  const body = Buffer.from(await response.arrayBuffer());
  const { status } = response;
  switch (status) {
    case 206:
      return body.subarray(0, bytes);
    case 200:
      return body.subarray(first, first + bytes);
    case 416:
      return Buffer.alloc(0);
    case 401:
    case 403:
      throw new VendorFailure('refused', `status ${status}`);
    case 429:
      throw new VendorFailure('limited', `status ${status}`);
    default:
      if (isFileMissing(status, body.toString())) {
        return undefined;
      }
      throw new VendorFailure(
        status === 404 ? 'gone' : status === 502 || status === 400 ? 'asleep' : 'busy',
        `status ${status}`,
      );
  }
}
