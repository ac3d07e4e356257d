import { join } from 'node:path';
import { RawClaude } from '../support/rawClaude.ts';
import { NotPossible, type Peer } from './peer.ts';

/** The floor: Claude Code on a pipe, with nothing around it. Its end is the end of everything. */
export const rawPeer: Peer = {
  name: 'raw Claude Code on a pipe',
  version: 'as Sandpiper’s',
  async start(stage, { ask }) {
    if (ask) {
      throw new NotPossible('nobody is there to ask');
    }
    const raw = await RawClaude.start({
      modelUrl: stage.modelUrl,
      workspace: stage.workspace,
      home: join(stage.folder, 'home'),
    });
    stage.defer(() => raw.stop());
    await raw.turn('SCN:deltas:1:0:first');
    return {
      marks: raw.marks,
      pids: [],
      turn: text => raw.turn(text),
      begin: async text => {
        raw.turn(text).catch(() => {});
      },
    };
  },
};
