import { median, medianRatio, type Measurement } from '../figure.ts';
import { startContestants } from '../support/contestants.ts';
import type { ModelLog } from '../support/modelProcess.ts';

/** Prompts a round; a round's number is their median, because one takes only some milliseconds. */
const PROMPTS = 5;

/** From the call that sends a prompt to a warm agent until the model has its request. */
export const warmPrompt: Measurement = {
  figures: [{ name: 'warm-prompt-to-model-request-over-raw', unit: 'ratio', aim: 1.5 }],
  needs: ['bubblewrap'],
  async take(bench) {
    const { model, relay, raw, sessionId } = await startContestants(bench);
    const ours: number[] = [];
    const floor: number[] = [];
    const take = async (times: number[], turn: () => Promise<{ startedAt: number }>): Promise<void> => {
      await model.reset();
      const { startedAt } = await turn();
      times.push(requestAfter(startedAt, await model.log()) - startedAt);
    };
    for (let round = 1; round <= bench.rounds; round++) {
      const oursOfRound: number[] = [];
      const floorOfRound: number[] = [];
      for (let prompt = 1; prompt <= PROMPTS; prompt++) {
        await take(oursOfRound, () => relay.turn(sessionId, `SCN:deltas:1:0:ours${round}x${prompt}`));
        await take(floorOfRound, () => raw.turn(`SCN:deltas:1:0:raw${round}x${prompt}`));
      }
      ours.push(median(oursOfRound));
      floor.push(median(floorOfRound));
      bench.report(`round ${round}: ${ours.at(-1)?.toFixed(1)} against ${floor.at(-1)?.toFixed(1)} ms`);
    }
    const raws = { unit: 'ms', ours, floor, promptsARound: PROMPTS };
    return { 'warm-prompt-to-model-request-over-raw': { value: medianRatio(ours, floor), raw: raws } };
  },
};

function requestAfter(time: number, { requests }: ModelLog): number {
  const request = requests.find(
    ({ method, path, at }) => method === 'POST' && path.endsWith('/v1/messages') && at > time,
  );
  if (!request) {
    throw new Error('The model got no request.');
  }
  return request.at;
}
