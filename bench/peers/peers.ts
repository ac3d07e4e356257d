import { median, medianRatio, type Bench, type Measurement, type Raw } from '../figure.ts';
import { startModelProcess, type ModelProcess } from '../support/modelProcess.ts';
import { takeApproval, takeDrop, takeKill, type Killed } from './accidents.ts';
import { acpPeer } from './acpPeer.ts';
import { agentHostPeer } from './agentHostPeer.ts';
import { cloudCliPeer } from './cloudCliPeer.ts';
import { hapiPeer } from './hapiPeer.ts';
import { opencodePeer } from './opencodePeer.ts';
import { NotPossible, type Peer, type RunningPeer } from './peer.ts';
import { rawPeer } from './rawPeer.ts';
import { sandpiperPeer } from './sandpiperPeer.ts';
import { takeSpeed, type Speed } from './speed.ts';
import { Stages } from './stages.ts';

const PEERS: readonly Peer[] = [rawPeer, sandpiperPeer, agentHostPeer, acpPeer, cloudCliPeer, hapiPeer, opencodePeer];

/** One row of the table. What is not there was not taken, for one of the reasons in `notes`. */
export interface PeerRow {
  name: string;
  version: string;
  speeds: Speed[];
  dropLost: number[];
  kills: Killed[];
  approvals: boolean[];
  notes: string[];
}

/**
 * Sandpiper and what else drives coding agents, with the same scripted model and, but for one, the real Claude Code: how fast
 * each is, and what it does when something is cut or killed. Each round goes through all of them.
 */
export const peers: Measurement = {
  figures: [
    { name: 'token-p50-over-agent-host', unit: 'ratio', aim: 0.9 },
    { name: 'warm-prompt-over-agent-host', unit: 'ratio', aim: 0.25 },
    { name: 'turn-50-tools-over-agent-host', unit: 'ratio', aim: 1 },
    { name: 'steps-lost', unit: 'steps', aim: 0 },
    { name: 'agents-overlap-ms', unit: 'ms', aim: 0 },
    { name: 'approvals-lost', unit: 'approvals', aim: 0 },
  ],
  needs: ['bubblewrap', 'vscodeServer'],
  async take(bench) {
    const model = await startModelProcess();
    bench.defer(() => model.stop());
    const stages = new Stages(bench, model.url);
    const rows = PEERS.map(({ name, version }): PeerRow => {
      return { name, version, speeds: [], dropLost: [], kills: [], approvals: [], notes: [] };
    });
    await takeSpeeds(bench, stages, model, rows);
    for (const [index, peer] of PEERS.entries()) {
      const row = rows[index];
      if (row) {
        await takeAccidents(bench, stages, model, peer, row);
      }
    }
    return figuresOf(rows);
  },
};

async function takeSpeeds(bench: Bench, stages: Stages, model: ModelProcess, rows: PeerRow[]): Promise<void> {
  const running: { row: PeerRow; peer: RunningPeer; end: () => Promise<void> }[] = [];
  for (const [index, peer] of PEERS.entries()) {
    const row = rows[index];
    try {
      const started = await stages.start(peer, { ask: false });
      if (row) {
        running.push({ row, peer: started.peer, end: started.end });
      }
    } catch (error) {
      note(bench, row, 'could not be started', error);
    }
  }
  for (let round = 1; round <= bench.rounds; round++) {
    for (const { row, peer } of running) {
      try {
        row.speeds.push(await takeSpeed(peer, model, `${round}`));
        const last = row.speeds.at(-1);
        bench.report(
          `round ${round}, ${row.name}: token ${last?.tokenP50.toFixed(2)}, warm ${last?.warmPrompt.toFixed(0)}, tools ${last?.toolTurn.toFixed(0)} ms`,
        );
      } catch (error) {
        note(bench, row, 'speed', error);
      }
    }
  }
  for (const { end } of running.toReversed()) {
    await end();
  }
}

async function takeAccidents(
  bench: Bench,
  stages: Stages,
  model: ModelProcess,
  peer: Peer,
  row: PeerRow,
): Promise<void> {
  if (row.notes.length > 0) {
    return;
  }
  // A session that came out of an accident is not fit for the next.
  const attempt = async (
    what: string,
    ask: boolean,
    take: (running: RunningPeer, workspace: string) => Promise<void>,
  ) => {
    for (let round = 1; round <= bench.rounds; round++) {
      try {
        const { peer: running, stage, end } = await stages.start(peer, { ask });
        try {
          await take(running, stage.workspace);
        } finally {
          await end();
        }
      } catch (error) {
        note(bench, row, what, error);
        if (error instanceof NotPossible) {
          return;
        }
      }
    }
  };
  await attempt('drop', false, async running => {
    row.dropLost.push(await takeDrop(running, model, 'drop'));
    bench.report(`${row.name}: ${row.dropLost.at(-1)} steps lost after ten seconds away`);
  });
  await attempt('kill', false, async running => {
    const killed = await takeKill(running, model, 'kill');
    row.kills.push(killed);
    bench.report(`${row.name}: killed, ${JSON.stringify(killed)}`);
  });
  await attempt('approval', true, async (running, workspace) => {
    row.approvals.push(await takeApproval(running, 'a', workspace));
    bench.report(`${row.name}: approval ${row.approvals.at(-1) ? 'survives' : 'is lost'}`);
  });
}

function note(bench: Bench, row: PeerRow | undefined, what: string, error: unknown): void {
  const text = `${what}: ${error instanceof Error ? error.message : String(error)}`;
  bench.report(`${row?.name}: ${text}`);
  const [first = ''] = text.split('\n');
  if (row && !row.notes.includes(first)) {
    row.notes.push(first);
  }
}

function figuresOf(rows: readonly PeerRow[]): Record<string, { value: number; raw: Raw }> {
  const ours = rows.find(({ name }) => name === sandpiperPeer.name);
  const host = rows.find(({ name }) => name === agentHostPeer.name);
  const ratio = (of: (speed: Speed) => number): { value: number; raw: Raw } => {
    const [own, floor] = [ours?.speeds.map(of) ?? [], host?.speeds.map(of) ?? []];
    return { value: medianRatio(own, floor), raw: { unit: 'ms', ours: own, floor } };
  };
  const sum = (values: readonly number[] | undefined): { value: number; raw: Raw } => ({
    value: values === undefined || values.length === 0 ? Number.NaN : values.reduce((one, other) => one + other, 0),
    raw: { ours: values ?? [] },
  });
  const token = ratio(({ tokenP50 }) => tokenP50);
  return {
    'token-p50-over-agent-host': { ...token, raw: { ...token.raw, rows } },
    'warm-prompt-over-agent-host': ratio(({ warmPrompt }) => warmPrompt),
    'turn-50-tools-over-agent-host': ratio(({ toolTurn }) => toolTurn),
    'steps-lost': sum(ours && [...ours.dropLost, ...ours.kills.map(({ lost }) => lost)]),
    'agents-overlap-ms': sum(ours?.kills.map(({ overlapMs }) => overlapMs)),
    'approvals-lost': sum(ours?.approvals.map(survived => (survived ? 0 : 1))),
  };
}

/** The table as Markdown. Of several rounds speeds are medians; what was lost is listed round by round. */
export function peerTable(rows: readonly PeerRow[]): string {
  const head = [
    'system',
    'version',
    'token p50 / p99 ms',
    'first text ms',
    'warm prompt ms',
    '50-tool turn ms',
    'memory MB',
    'lost: 10 s drop',
    'lost: kill -9',
    'its turn ends',
    'two agents, ms',
    'approval survives a kill',
  ];
  const lines = rows.map(row => {
    const of = (take: (speed: Speed) => number, digits: number): string =>
      row.speeds.length === 0 ? '–' : median(row.speeds.map(take)).toFixed(digits);
    const { dropLost, kills, approvals } = row;
    const share = (flags: readonly boolean[]): string =>
      flags.length === 0 ? '–' : `${flags.filter(Boolean).length} of ${flags.length}`;
    return [
      row.name,
      row.version,
      `${of(speed => speed.tokenP50, 2)} / ${of(speed => speed.tokenP99, 1)}`,
      of(speed => speed.firstText, 1),
      of(speed => speed.warmPrompt, 1),
      of(speed => speed.toolTurn, 0),
      of(speed => speed.memoryMb, 0),
      dropLost.length === 0 ? '–' : dropLost.join(', '),
      kills.length === 0 ? '–' : kills.map(({ lost }) => lost).join(', '),
      share(kills.map(({ finished }) => finished)),
      kills.length === 0 ? '–' : kills.map(({ overlapMs }) => overlapMs.toFixed(0)).join(', '),
      share(approvals),
    ];
  });
  const table = [head, head.map(() => '---'), ...lines].map(cells => `| ${cells.join(' | ')} |`).join('\n');
  const notes = rows.flatMap(({ name, notes: own }) => own.map(text => `- ${name}: ${text}`));
  return notes.length === 0 ? table : `${table}\n\nNot taken, and why:\n\n${notes.join('\n')}`;
}
