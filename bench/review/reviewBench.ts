import { join } from 'node:path';
import type { CallResult } from '../../protocol/calls.ts';
import type { Bench } from '../figure.ts';
import { BenchRelay, type BenchRelayOptions } from '../support/benchRelay.ts';
import { makeLargeRepository } from '../support/largeRepository.ts';
import { startModelProcess } from '../support/modelProcess.ts';

/** A session on a repository of 21,000 files, in a relay of its own, whose reviewer edits files so that they are pending. */
export interface ReviewBench {
  relay: BenchRelay;
  source: string;
  sessionId: string;
  list(): Promise<CallResult<'review.list'>>;
  /** Makes the proposed side of a file have these lines. */
  propose(path: string, lines: readonly string[]): Promise<void>;
  accept(path: string, hunks: string[] | undefined, seen: CallResult<'review.list'>): Promise<void>;
}

export async function openReviewBench(
  bench: Bench,
  options: Pick<BenchRelayOptions, 'nodeOptions' | 'env'> = {},
): Promise<ReviewBench> {
  const model = await startModelProcess();
  bench.defer(() => model.stop());
  const source = join(bench.folder, 'large');
  await makeLargeRepository(source);
  const relay = await BenchRelay.start(bench, 'data', { modelUrl: model.url, ...options });
  const sessionId = await relay.createWarm(source);
  return {
    relay,
    source,
    sessionId,
    list: () => relay.call('review.list', { sessionId }),
    async propose(path, lines) {
      const { blob } = await relay.call('changes.file', { sessionId, side: 'proposed', path });
      const content = Buffer.from(lines.map(line => `${line}\n`).join('')).toString('base64');
      await relay.call('review.edit', { sessionId, path, content, expected: blob });
    },
    async accept(path, hunks, { accepted, proposed }) {
      await relay.call('review.decide', {
        sessionId,
        verdict: 'accept',
        files: [{ path, ...(hunks ? { hunks } : {}) }],
        expected: { accepted, proposed },
      });
    },
  };
}

/** Lines of a file, every `step`th of which is changed. */
export function someLines(count: number, step: number, change = ' changed'): string[] {
  return Array.from({ length: count }, (_, index) => `line ${index}${step > 0 && index % step === 0 ? change : ''}`);
}
