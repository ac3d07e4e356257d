import type { CallHandlers, CheckedParams } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { CallContext } from '../core/callContext.ts';
import { diffText, listChanges } from '../git/diff.ts';
import { listFolder } from '../git/folder.ts';
import { inspectRepository } from '../git/inspect.ts';
import { SharedReader } from '../git/sharedReader.ts';
import type { Dependencies } from './dependencies.ts';
import { commitOfTree } from './namedTrees.ts';
import { PathIndex } from './pathIndex.ts';
import { rankPaths } from './rankPaths.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';
import { mirrorOf, providerOf } from './workspace.ts';

export type ReadHandlers = Pick<
  CallHandlers<CallContext>,
  | 'repository.inspect'
  | 'repository.warm'
  | 'changes.list'
  | 'changes.diff'
  | 'changes.file'
  | 'changes.folder'
  | 'changes.findPaths'
  | 'blob.read'
>;

const MAX_FILE_BYTES = 2 * 1024 * 1024;

/** The calls that read repositories, changes and payloads. */
export function readHandlers(dependencies: Dependencies, sessions: Sessions): ReadHandlers {
  const sides = async (params: CheckedParams<'changes.list'> | CheckedParams<'changes.diff'>) => {
    const session = await sessions.get(params.sessionId);
    const other = params.toSessionId === undefined ? session : await sessions.get(params.toSessionId);
    refuseOtherRepository(session, other);
    const from = await commitOfTree(dependencies, session, params.from);
    const to = await commitOfTree(dependencies, other, params.to);
    return { mirror: mirrorOf(dependencies, session.log.state), from, to };
  };
  const files = new SharedReader(MAX_FILE_BYTES);
  const index = new PathIndex();
  return {
    'repository.inspect': async ({ source }) => {
      const header = await dependencies.sourceAccess.headerFor(source);
      const { gitDir: _gitDir, ...inspected } = await inspectRepository(source, header === undefined ? {} : { header });
      return inspected;
    },
    'repository.warm': async ({ source, provider, agent }) => {
      await dependencies.requireRoom();
      const header = await dependencies.sourceAccess.headerFor(source);
      const inspected = await inspectRepository(source, {
        withoutWorkTree: true,
        ...(header === undefined ? {} : { header }),
      });
      await dependencies.mirrors.ensure(inspected, inspected.head, header);
      const { repository, head: commit } = inspected;
      if ((await providerOf(dependencies, provider).probe()).capabilities.isolation === 'process') {
        dependencies.spares.wish({ provider, repository, agent, commit }, 0);
      }
      return {};
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
      const session = await sessions.get(sessionId);
      const commit = await commitOfTree(dependencies, session, side);
      const file = await files.fileAt(mirrorOf(dependencies, session.log.state), commit, path);
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
    'changes.folder': async ({ sessionId, tree, path }) => {
      const session = await sessions.get(sessionId);
      const commit = await commitOfTree(dependencies, session, tree);
      const entries = await listFolder(mirrorOf(dependencies, session.log.state), commit, path);
      return { commit, exists: entries !== undefined, entries: entries ?? [] };
    },
    'changes.findPaths': async ({ sessionId, tree, query, limit }) => {
      const session = await sessions.get(sessionId);
      const commit = await commitOfTree(dependencies, session, tree);
      const paths = await index.paths(mirrorOf(dependencies, session.log.state), commit);
      return { paths: rankPaths(paths, query, limit), total: paths.length };
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

function refuseOtherRepository(one: Session, other: Session): void {
  if (one.log.state.repository.id !== other.log.state.repository.id) {
    throw new SandpiperError('invalid_params', 'The two sessions are of different repositories.', {
      hint: 'Compare sessions of one repository.',
    });
  }
}

/** The text, or undefined when the bytes are not UTF-8. */
function utf8(content: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}
