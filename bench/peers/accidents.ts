import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { scripted } from '../../test/support/modelScript.ts';
import type { ModelLog, ModelProcess } from '../support/modelProcess.ts';
import { NotPossible, type RunningPeer } from './peer.ts';
import { until } from './peerProcess.ts';

const DROP_MS = 10_000;
const STEPS = 30;
const STEP_MS = 300;
/** Steps that are over when the accident happens. */
const BEFORE = 6;
const GRACE_MS = 15_000;

/** Marks of a run that the model sent and the client never saw, though it had all the time that it needs. */
async function lost(peer: RunningPeer, model: ModelProcess, run: string): Promise<number> {
  const missing = async (): Promise<number> => new Set(marksOf(await model.log(), run)).size - peer.marks.count(run);
  await peer.reload?.();
  await until(
    'every step is shown',
    async () => {
      return (await missing()) === 0;
    },
    GRACE_MS,
  ).catch(() => {});
  return missing();
}

function marksOf({ sent }: ModelLog, run: string): number[] {
  return sent.flatMap(entry => (entry.kind === 'delta' && entry.run === run ? [entry.index] : []));
}

async function stepsOver(model: ModelProcess, run: string, count: number): Promise<void> {
  await until(`${run} has done ${count} steps`, async () => marksOf(await model.log(), run).length >= count);
}

/** Steps that are never shown after the client was away for ten seconds in the middle of a turn. */
export async function takeDrop(peer: RunningPeer, model: ModelProcess, run: string): Promise<number> {
  if (!peer.drop) {
    throw new NotPossible('no connection that could be taken up again');
  }
  await model.reset();
  await peer.begin(`SCN:tools:${STEPS}:${STEP_MS}:${run}`);
  await stepsOver(model, run, BEFORE);
  await peer.drop(DROP_MS);
  await stepsOver(model, run, STEPS + 1).catch(() => {});
  return lost(peer, model, run);
}

export interface Killed {
  /** For how long two agents worked in one clone. */
  overlapMs: number;
  /** Steps of the turn that was under way which the model was asked for and nobody was ever shown. */
  lost: number;
  /** Whether the turn that was under way was done to its end. */
  finished: boolean;
}

/** Kills the owner of a turn, and sends the next prompt as soon as the client may. */
export async function takeKill(peer: RunningPeer, model: ModelProcess, run: string): Promise<Killed> {
  if (!peer.kill) {
    throw new NotPossible('nothing is left that could be brought back');
  }
  await model.reset();
  await peer.begin(`SCN:tools:${STEPS}:${STEP_MS}:${run}`);
  await stepsOver(model, run, BEFORE);
  await peer.kill();
  await peer.begin(`SCN:tools:3:${STEP_MS}:${run}next`);
  await stepsOver(model, `${run}next`, 4).catch(() => {});
  await stepsOver(model, run, STEPS + 1).catch(() => {});
  const log = await model.log();
  const times = (name: string): number[] =>
    log.sent.flatMap(entry => (entry.kind === 'delta' && entry.run === name ? [entry.at] : []));
  const [old, next] = [times(run), times(`${run}next`)];
  const overlapMs = Math.min(old.at(-1) ?? 0, next.at(-1) ?? 0) - (next[0] ?? Number.POSITIVE_INFINITY);
  return {
    overlapMs: Math.max(0, overlapMs),
    lost: await lost(peer, model, run),
    finished: marksOf(log, run).includes(STEPS),
  };
}

/** Whether a permission that was asked for before a kill can be granted after it, and is then used once. */
export async function takeApproval(peer: RunningPeer, run: string, workspace: string): Promise<boolean> {
  if (!peer.asked || !peer.approve || !peer.kill) {
    throw new NotPossible('it cannot be asked');
  }
  const name = `approved-${run}`;
  const command = `touch ${name}`;
  await peer.begin(scripted('Do it.', [{ tool: 'Bash', input: { command, description: 'Touch' } }, { text: 'Done.' }]));
  await peer.asked();
  await peer.kill();
  await peer.approve();
  const file = join((await peer.workspace?.()) ?? workspace, name);
  const came = await until('the file appears', () => existsSync(file), GRACE_MS).then(
    () => true,
    () => false,
  );
  await rm(file, { force: true });
  return came;
}
