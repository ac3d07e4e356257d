import type { ModelProcess } from '../support/modelProcess.ts';
import type { RunningPeer } from './peer.ts';
import { familyKb } from './peerProcess.ts';

const DELTAS = 1000;
const INTERVAL_MS = 5;
const TOOLS = 50;

/** One round of one peer. Times in milliseconds. */
export interface Speed {
  tokenP50: number;
  tokenP99: number;
  /** From the model's first token of an answer of five seconds to the first text at the client. */
  firstText: number;
  warmPrompt: number;
  toolTurn: number;
  memoryMb: number;
}

/** @param run names this round for the model; letters and digits */
export async function takeSpeed(peer: RunningPeer, model: ModelProcess, run: string): Promise<Speed> {
  await model.reset();
  const { startedAt } = await peer.turn(`SCN:deltas:1:0:w${run}`);
  const warm = (await model.log()).sent.find(entry => entry.kind === 'delta' && entry.run === `w${run}`);
  await peer.turn(`SCN:deltas:${DELTAS}:${INTERVAL_MS}:d${run}`);
  const log = await model.log();
  const { p50, p99 } = peer.marks.latencies(`d${run}`, log);
  const first = log.sent.find(entry => entry.kind === 'delta' && entry.run === `d${run}`);
  const memoryMb = (await familyKb(peer.pids)) / 1024;
  const toolTurn = (await peer.turn(`SCN:tools:${TOOLS}:0:t${run}`)).ms;
  return {
    tokenP50: p50,
    tokenP99: p99,
    firstText: (peer.marks.seenAt(`d${run}.0`) ?? Number.NaN) - (first?.at ?? Number.NaN),
    warmPrompt: (warm?.at ?? Number.NaN) - startedAt,
    toolTurn,
    memoryMb,
  };
}
