import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../server/src/core/log.ts';
import { createModelGateway } from '../../server/src/models/gateway.ts';
import { preciseNow } from '../support/modelReply.ts';
import { startScriptedModel } from '../support/scriptedModel.ts';

const DELTAS = 200;
const INTERVAL_MS = 5;

/** When each delta of a measuring run arrived. */
function arrivals(to: { socketPath: string } | { port: number }, run: string): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const seen: number[] = [];
    const request = httpRequest(
      { ...to, host: '127.0.0.1', method: 'POST', path: '/v1/messages', headers: { 'x-api-key': 'token' } },
      response => {
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          const at = preciseNow();
          for (const match of text.matchAll(/\[\w+\.(\d+)\]/g)) {
            seen[Number(match[1])] = at;
          }
        });
        response.on('end', () => resolve(seen));
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(
      JSON.stringify({
        model: 'claude-opus-5-5',
        stream: true,
        tools: [{}],
        messages: [{ role: 'user', content: `SCN:deltas:${DELTAS}:${INTERVAL_MS}:${run}` }],
      }),
    );
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

describe('model gateway: latency', () => {
  it('holds no delta back', async function () {
    const folder = mkdtempSync(join(tmpdir(), 'sp-'));
    const model = await startScriptedModel();
    const gateway = createModelGateway({
      upstreamUrl: model.url,
      key: () => ({ kind: 'apiKey', value: 'real' }),
      log: silentLogger,
      onUsage: () => {},
    });
    try {
      await gateway.open({ sessionId: 'a', token: 'token', socketFolder: folder, spentUsd: 0 });
      const port = Number(new URL(model.url).port);
      const delays = async (to: { socketPath: string } | { port: number }, run: string): Promise<number[]> => {
        const arrived = await arrivals(to, run);
        const sent = model.sendLog().flatMap(entry => (entry.kind === 'delta' && entry.run === run ? [entry.at] : []));
        assert.equal(arrived.filter(at => at > 0).length, DELTAS, 'every delta came');
        return sent.map((at, index) => (arrived[index] ?? Number.NaN) - at);
      };
      const viaSocket = { socketPath: join(folder, 'model.sock') };
      // Both at the same time, so that a busy machine slows both.
      const [direct, relayed] = await Promise.all([delays({ port }, 'd'), delays(viaSocket, 'r')]);
      const addedMs = median(relayed) - median(direct);
      console.log(`      p50 direct ${median(direct).toFixed(3)} ms, through the gateway +${addedMs.toFixed(3)} ms`);
      assert.ok(addedMs < 2, `the gateway adds ${addedMs} ms to a delta`);
    } finally {
      await gateway.dispose();
      await model.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
