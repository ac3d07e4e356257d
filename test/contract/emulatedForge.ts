import assert from 'node:assert/strict';
import type { Forge } from '../../server/src/forges/forge.ts';
import type { EmulatedForge } from '../support/forge/emulatedForge.ts';
import type { ForgeUnderTest } from './forgeSuite.ts';

export const FAULTS = {
  lostWithStatus: 'badGatewayAfterEffect',
  lostWithoutAnswer: 'socketCutAfterEffect',
  cut: 'socketCut',
  rateLimit: 'rateLimit',
  draftUnsupported: 'draftUnsupported',
} as const;

/** An emulated forge as the contract suite looks at it. */
export function underTest(
  server: EmulatedForge,
  forge: Forge,
  {
    operations,
    draftPrefix,
    permission,
  }: {
    operations: { create: string; update: string };
    draftPrefix: string;
    permission: RegExp;
  },
): ForgeUnderTest {
  let closed: Promise<void> | undefined;
  return {
    forge,
    token: server.token,
    readToken: server.readToken,
    async createRepository(owner, name) {
      const { cloneUrl, bareFolder } = await server.createRepository(owner, name);
      return { remoteUrl: cloneUrl, bareFolder };
    },
    pullRequests: () =>
      server.pullRequests().map(({ title, branch, ...pull }) => ({
        ...pull,
        title: pull.draft ? title.replace(draftPrefix, '') : title,
        head: branch,
      })),
    counts: () => {
      const times = (id: string) => server.requests().filter(({ operation }) => operation === id).length;
      return { created: times(operations.create), updated: times(operations.update) };
    },
    closePullRequest: async number => server.end('app', number, 'closed'),
    fault: kind => server.fault(FAULTS[kind]),
    permission,
    nothingToMerge: undefined,
    close() {
      // Every test of the contract is also one of the forge's description, in both directions.
      closed ??= server.close().then(() => assert.deepEqual(server.violations(), []));
      return closed;
    },
  };
}
