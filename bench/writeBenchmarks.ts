import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { runOrThrow } from '../scripts/setup/command.ts';
import { repositoryFolder } from '../scripts/setup/need.ts';
import type { Figure } from './figure.ts';
import { peerTable, type PeerRow } from './peers/peers.ts';

const FILE = join(repositoryFolder, 'docs/benchmarks.md');
const [BEGIN, END] = ['<!-- peers: written by npm run bench -->', '<!-- end of peers -->'];

/**
 * Puts the table of peers and the figures that were taken with it into docs/benchmarks.md, between its two marks.
 * @throws when the peers were not measured
 */
export async function writeBenchmarks(figures: readonly Figure[], rounds: number): Promise<void> {
  const rows = figures.map(({ raw }) => raw['rows']).find(isRows);
  if (!rows) {
    throw new Error('Only the peers go into docs/benchmarks.md: npm run bench -- --only peers --write');
  }
  const command = `npm run bench -- --only peers --rounds ${rounds} --write`;
  const load = loadavg()[0]?.toFixed(1);
  const text = [
    BEGIN,
    `Written by \`${command}\` on ${new Date().toISOString().slice(0, 10)}: ${availableParallelism()} processors ` +
      `(${cpus()[0]?.model ?? 'unknown'}), load ${load} at the end, Node ${process.versions.node}, ${rounds} round(s).`,
    peerTable(rows),
    '| figure | value | aim | |',
    '| --- | --- | --- | --- |',
    END,
  ];
  const lines = figures.map(({ name, value, unit, aim, better, holds }) => {
    const shown = value === null ? 'not taken' : `${value}${unit === 'ratio' ? '' : ` ${unit}`}`;
    return `| ${name} | ${shown} | ${better === 'less' ? '≤' : '≥'} ${aim} | ${holds ? 'holds' : 'behind'} |`;
  });
  const [begin = '', where = '', table = '', head = '', rule = '', end = ''] = text;
  const section = [begin, '', where, '', table, '', head, rule, ...lines, '', end].join('\n');
  const before = await readFile(FILE, 'utf8');
  const [start, stop] = [before.indexOf(BEGIN), before.indexOf(END)];
  if (start === -1 || stop < start) {
    throw new Error(`${FILE} has lost its marks ${BEGIN} and ${END}.`);
  }
  const after = before.slice(0, start) + section + before.slice(stop + END.length);
  await writeFile(FILE, after);
  await runOrThrow(process.execPath, [
    join(repositoryFolder, 'node_modules/prettier/bin/prettier.cjs'),
    '--write',
    FILE,
  ]);
}

/** What peers.ts made in the same run. */
function isRows(value: unknown): value is PeerRow[] {
  return Array.isArray(value);
}
