import { medianRatio, type Measurement } from '../figure.ts';
import { startContestants } from '../support/contestants.ts';

const TOOLS = 50;

/** A turn of many small tools: from the call to `turnFinished`, which stands after the checkpoint, or to the result line. */
export const toolTurn: Measurement = {
  figures: [{ name: 'turn-50-tools-over-raw', unit: 'ratio', aim: 1.1 }],
  needs: ['bubblewrap'],
  async take(bench) {
    const { model, relay, raw, sessionId } = await startContestants(bench);
    const ours: number[] = [];
    const floor: number[] = [];
    for (let round = 1; round <= bench.rounds; round++) {
      ours.push((await relay.turn(sessionId, `SCN:tools:${TOOLS}:0:ours${round}`)).ms);
      floor.push((await raw.turn(`SCN:tools:${TOOLS}:0:raw${round}`)).ms);
      await model.reset();
      bench.report(`round ${round}: ${ours.at(-1)?.toFixed(0)} against ${floor.at(-1)?.toFixed(0)} ms`);
    }
    return { 'turn-50-tools-over-raw': { value: medianRatio(ours, floor), raw: { unit: 'ms', ours, floor } } };
  },
};
