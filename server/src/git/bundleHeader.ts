import { SandpiperError } from '../../../protocol/errors.ts';

/** What a bundle says about itself before its pack begins. */
export interface BundleHeader {
  refs: { commit: string; name: string }[];
  /** Commits that the receiver must have. */
  prerequisites: string[];
  /** Objects in the pack, by its own count. */
  objectCount: number;
}

/** A sane header is under a kilobyte: one ref, one prerequisite. */
const MAX_HEADER_BYTES = 64 * 1024;
const PACK_HEADER_BYTES = 12;

/**
 * Reads the header from a stream and hands back the pack, from its first byte, still as a stream.
 * @throws `import_refused` when it is not a bundle of version 2 with SHA-1 ids
 */
export async function openBundle(
  source: AsyncIterable<Uint8Array>,
): Promise<{ header: BundleHeader; pack: AsyncIterable<Uint8Array> }> {
  const chunks = source[Symbol.asyncIterator]();
  let buffer = Buffer.alloc(0);
  let end = -1;
  while (end < 0 || buffer.length < end + 2 + PACK_HEADER_BYTES) {
    const next = await chunks.next();
    if (next.done) {
      throw refused(end < 0 ? 'it ends inside its header' : 'it has no pack');
    }
    buffer = Buffer.concat([buffer, next.value]);
    end = end < 0 ? buffer.indexOf('\n\n') : end;
    if (end < 0 && buffer.length > MAX_HEADER_BYTES) {
      throw refused('its header is too long');
    }
  }
  const pack = buffer.subarray(end + 2);
  return {
    header: { ...parseHeader(buffer.toString('utf8', 0, end)), objectCount: countObjects(pack) },
    pack: continueFrom(pack, chunks),
  };
}

function parseHeader(text: string): Omit<BundleHeader, 'objectCount'> {
  const [signature, ...lines] = text.split('\n');
  if (signature !== '# v2 git bundle') {
    throw refused('it is not a git bundle of version 2');
  }
  const refs: BundleHeader['refs'] = [];
  const prerequisites: string[] = [];
  for (const line of lines) {
    const [, minus, commit = '', rest = ''] = /^(-?)([0-9a-f]{40})(?: (.*))?$/.exec(line) ?? [];
    if (minus === undefined || (minus === '' && rest === '')) {
      throw refused('its header has a line that git does not write');
    }
    if (minus === '-') {
      prerequisites.push(commit);
    } else {
      refs.push({ commit, name: rest });
    }
  }
  return { refs, prerequisites };
}

function countObjects(pack: Buffer): number {
  const version = pack.readUInt32BE(4);
  if (pack.toString('latin1', 0, 4) !== 'PACK' || (version !== 2 && version !== 3)) {
    throw refused('what follows its header is not a pack');
  }
  return pack.readUInt32BE(8);
}

async function* continueFrom(
  first: Uint8Array,
  chunks: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield first;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      yield next.value;
    }
  } finally {
    await chunks.return?.();
  }
}

/** A refusal says why; there is nothing that the person could correct in a bundle. */
export function refused(why: string): SandpiperError {
  return new SandpiperError('import_refused', `The checkpoint from the sandbox was refused: ${why}.`, {
    hint: 'The work is still in the sandbox. Undo what the reason names, and send a message to make a new checkpoint.',
  });
}
