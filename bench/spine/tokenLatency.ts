import { medianRatio, type Measurement } from '../figure.ts';
import { startContestants } from '../support/contestants.ts';

const DELTAS = 2000;
const INTERVAL_MS = 5;

/** From the model's send of a delta to its receipt: by a WebSocket client of the relay, and by the reader of a pipe. */
export const tokenLatency: Measurement = {
  figures: [
    { name: 'token-p50-over-raw-pipe', unit: 'ratio', aim: 3 },
    { name: 'token-p99-over-raw-pipe', unit: 'ratio', aim: 1.5 },
  ],
  needs: ['bubblewrap'],
  async take(bench) {
    const { model, relay, raw, sessionId } = await startContestants(bench);
    const ours: { p50: number; p99: number }[] = [];
    const floor: { p50: number; p99: number }[] = [];
    for (let round = 1; round <= bench.rounds; round++) {
      await relay.turn(sessionId, `SCN:deltas:${DELTAS}:${INTERVAL_MS}:ours${round}`);
      ours.push(relay.marks.latencies(`ours${round}`, await model.log()));
      await raw.turn(`SCN:deltas:${DELTAS}:${INTERVAL_MS}:raw${round}`);
      floor.push(raw.marks.latencies(`raw${round}`, await model.log()));
      await model.reset();
      bench.report(`round ${round}: ${shown(ours.at(-1))} against ${shown(floor.at(-1))} ms (p50/p99)`);
    }
    return {
      'token-p50-over-raw-pipe': ratio(
        ours.map(({ p50 }) => p50),
        floor.map(({ p50 }) => p50),
      ),
      'token-p99-over-raw-pipe': ratio(
        ours.map(({ p99 }) => p99),
        floor.map(({ p99 }) => p99),
      ),
    };
  },
};

function ratio(ours: number[], floor: number[]) {
  return { value: medianRatio(ours, floor), raw: { unit: 'ms', ours, floor, deltas: DELTAS } };
}

function shown(late: { p50: number; p99: number } | undefined): string {
  return late === undefined ? '-' : `${late.p50.toFixed(2)}/${late.p99.toFixed(2)}`;
}
