import type { CallHandlers, CheckedParams, Side } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { CallContext } from '../core/callContext.ts';
import { diffText, listChanges, readFileAt } from '../git/diff.ts';
import { inspectRepository } from '../git/inspect.ts';
import type { Dependencies } from './dependencies.ts';
import type { Sessions } from './sessions.ts';
import { mirrorOf } from './workspace.ts';

export type ReadHandlers = Pick<
  CallHandlers<CallContext>,
  'repository.inspect' | 'changes.list' | 'changes.diff' | 'changes.file' | 'blob.read'
>;

const MAX_FILE_BYTES = 2 * 1024 * 1024;

/** The calls that read repositories, changes and payloads. */
export function readHandlers(dependencies: Dependencies, sessions: Sessions): ReadHandlers {
  const sides = async (params: CheckedParams<'changes.list'> | CheckedParams<'changes.diff'>) => {
    const { state } = (await sessions.get(params.sessionId)).log;
    return {
      mirror: mirrorOf(dependencies, state),
      from: commitOf(state, params.from),
      to: commitOf(state, params.to),
    };
  };
  return {
    'repository.inspect': async ({ source }) => {
      const header = dependencies.sourceAccess.headerFor(source);
      const { gitDir: _gitDir, ...inspected } = await inspectRepository(source, header === undefined ? {} : { header });
      return inspected;
    },
    'changes.list': async params => {
      const { mirror, from, to } = await sides(params);
      return { ...(await listChanges(mirror, from, to)), fromCommit: from, toCommit: to };
    },
    'changes.diff': async params => {
      const { mirror, from, to } = await sides(params);
      return diffText(mirror, from, to, params.maxBytes);
    },
    'changes.file': async ({ sessionId, side, path }) => {
      const { state } = (await sessions.get(sessionId)).log;
      const file = await readFileAt(mirrorOf(dependencies, state), commitOf(state, side), path, MAX_FILE_BYTES);
      const text = file.tooLarge ? '' : utf8(file.content);
      return {
        exists: file.exists,
        encoding: text === undefined ? 'base64' : 'utf8',
        content: text ?? file.content.toString('base64'),
        bytes: file.bytes,
        mode: file.mode,
        blob: file.blob,
        tooLarge: file.tooLarge,
      };
    },
    'blob.read': async ({ sessionId, hash, offset, maxBytes }) => {
      await sessions.get(sessionId);
      const blob = await dependencies.blobs.read(hash, offset, maxBytes);
      if (!blob) {
        throw new SandpiperError('not_found', `There is no payload ${hash}.`, {
          hint: 'It may have been removed by retention.',
        });
      }
      return { content: blob.content.toString('base64'), bytes: blob.bytes };
    },
  };
}

function commitOf(state: SessionState, side: Side): string {
  return { base: state.base, accepted: state.accepted, proposed: state.proposed }[side];
}

/** The text, or undefined when the bytes are not UTF-8. */
function utf8(content: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}
