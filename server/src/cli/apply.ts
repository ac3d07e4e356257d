import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { applyPlan, cutOff, finishApply, lastApply, undoApply } from '../../../landing/applyChanges.ts';
import { ApplyRecords, type ApplyRecord } from '../../../landing/applyRecord.ts';
import { checkOutBranch } from '../../../landing/checkOutBranch.ts';
import { REASONS } from '../../../landing/decide.ts';
import { fetchBundle, fetchPatch, type LandingBundle } from '../../../landing/fetchLanding.ts';
import { isEmptyPlan, planApply, withoutFiles, type ApplyPlan } from '../../../landing/planApply.ts';
import { unpackBundle } from '../../../landing/unpackBundle.ts';
import { openUserFolder } from '../../../landing/userFolder.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { landingTreeSchema, type LandingTree } from '../../../protocol/landingCalls.ts';
import { makeScratchFolder } from '../core/scratchFolder.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import { findSession } from './connection.ts';
import { EXIT } from './exitCodes.ts';
import { plain } from './render.ts';

interface ApplyFlags {
  repo: string;
  from?: string;
  check: boolean;
  withSensitive: boolean;
  json: boolean;
}

interface CheckoutFlags {
  repo: string;
  from?: string;
  branch?: string;
  switch: boolean;
  carry: boolean;
  withSensitive: boolean;
}

interface UndoFlags {
  repo: string;
  others: boolean;
  finish: boolean;
}

/** `apply`, `unapply`, `checkout` and `patch`: a session's work in a folder of this machine. */
export function addApply(command: Command, options: ProgramOptions, run: Run): void {
  const treeOption = (): Option =>
    new Option('--from <tree>', 'what is taken (default: accepted when something is)').choices(
      landingTreeSchema.options,
    );
  command
    .command('apply')
    .argument('<session>', 'id, or the end of one')
    .description('Merge what a session changed into your checked-out files')
    .option('--repo <folder>', 'the folder', '.')
    .addOption(treeOption())
    .option('--with-sensitive', 'also files that can run code on this machine and that nobody accepted', false)
    .option('--check', 'only say what would happen', false)
    .option('--json', '', false)
    .action((session: string, flags: ApplyFlags) => run(() => apply(options, session, flags))());
  command
    .command('unapply')
    .description('Take the last apply to a folder back, or finish one that was cut off')
    .option('--repo <folder>', 'the folder', '.')
    .option('--others', 'leave out what you changed since, in place of refusing', false)
    .option('--finish', 'finish an apply that was cut off', false)
    .action((flags: UndoFlags) => run(() => unapply(options, flags))());
  command
    .command('checkout')
    .argument('<session>', 'id, or the end of one')
    .description('Fetch what a session changed into your repository as a branch')
    .option('--repo <folder>', 'the folder', '.')
    .addOption(treeOption())
    .option('--branch <name>', 'its name (default: as it would be pushed)')
    .option('--no-switch', 'make the branch only; your files stay')
    .option('--with-sensitive', 'also with files that can run code here and that nobody accepted', false)
    .option('--carry', 'take uncommitted changes along', false)
    .action((session: string, flags: CheckoutFlags) => run(() => checkout(options, session, flags))());
  command
    .command('patch')
    .argument('<session>', 'id, or the end of one')
    .description('Print what a session changed as a patch for `git apply`, binary files included')
    .addOption(treeOption())
    .action((session: string, flags: { from?: string }) => run(() => patch(options, session, flags))());
}

function apply(options: ProgramOptions, session: string, flags: ApplyFlags): Promise<number> {
  return withConnection(options, async ({ client }) => {
    const sessionId = await findSession(client, session);
    const user = await openUserFolder(resolve(flags.repo), options.environment);
    const records = recordsOf(options);
    await refuseCutOff(records, user.root);
    const { title } = await client.call('session.get', { sessionId });
    return withScratch(async scratch => {
      const { bundle, file } = await fetchBundle(client, user, scratch, { sessionId, from: treeOf(flags) });
      const left = flags.withSensitive ? [] : bundle.sensitive;
      const plan = await planApply(user, withoutFiles(await unpackBundle(user, file, scratch), left));
      const { from, commit } = bundle;
      const record =
        flags.check || isEmptyPlan(plan)
          ? undefined
          : await applyPlan(records, user, plan, { about: { sessionId, title, commit, from } });
      print(plan, { from, record, records, flags, left });
      return plan.conflicts.length === 0 ? EXIT.ok : EXIT.failed;
    });
  });
}

function print(
  plan: ApplyPlan,
  {
    from,
    record,
    records,
    flags,
    left,
  }: {
    from: LandingTree;
    record: ApplyRecord | undefined;
    records: ApplyRecords;
    flags: ApplyFlags;
    left: LandingBundle['sensitive'];
  },
): void {
  const conflicts = plan.conflicts.map(({ path, reason }, index) => ({
    path,
    reason,
    ...(record?.conflicts[index]?.has.includes('marked')
      ? { marked: records.conflictOf(record, index, 'marked') }
      : {}),
    ...(record?.conflicts[index]?.has.includes('theirs')
      ? { theirs: records.conflictOf(record, index, 'theirs') }
      : {}),
  }));
  const changed = plan.files.map(({ path, before, after }) => ({
    path,
    what: after.kind === 'absent' ? 'deleted' : before.kind === 'absent' ? 'added' : 'changed',
  }));
  if (flags.json) {
    process.stdout.write(
      `${JSON.stringify({ from, applied: !flags.check, changed, same: plan.same, conflicts, left })}\n`,
    );
    return;
  }
  process.stderr.write(`${from === 'accepted' ? 'The accepted changes' : 'All changes'}\n`);
  for (const { path, what } of changed) {
    process.stdout.write(`${what.padEnd(8)} ${plain(path)}\n`);
  }
  for (const { path, reason, marked, theirs } of conflicts) {
    process.stdout.write(`conflict ${plain(path)}: ${REASONS[reason]}\n`);
    const file = marked ?? theirs;
    if (file !== undefined) {
      process.stdout.write(`         ${marked === undefined ? 'the agent’s' : 'both sides'}: ${file}\n`);
    }
  }
  for (const { path, reason } of left) {
    process.stdout.write(`left out ${plain(path)}: ${plain(reason)} (--with-sensitive takes it)\n`);
  }
  if (changed.length + conflicts.length + left.length === 0) {
    process.stdout.write('Your files have it all.\n');
  }
}

async function unapply(options: ProgramOptions, flags: UndoFlags): Promise<number> {
  const { root } = await openUserFolder(resolve(flags.repo), options.environment);
  const records = recordsOf(options);
  if (flags.finish) {
    const half = await cutOff(records, root);
    if (half === undefined) {
      throw new SandpiperError('not_found', `No apply to ${root} was cut off.`);
    }
    await finishApply(records, half);
    process.stdout.write('finished\n');
    return EXIT.ok;
  }
  const record = await lastApply(records, root);
  if (record === undefined) {
    throw new SandpiperError('not_found', `There is no apply to ${root} to take back.`, {
      hint: 'What was applied in VS Code is undone there.',
    });
  }
  const { undone, left } = await undoApply(records, record, { others: flags.others }).catch((error: unknown) => {
    throw error instanceof SandpiperError && error.code === 'conflict'
      ? new SandpiperError(error.code, error.message, {
          hint: '`sandpiper unapply --others` takes back the rest.',
          details: error.details,
        })
      : error;
  });
  for (const path of undone) {
    process.stdout.write(`undone   ${plain(path)}\n`);
  }
  for (const path of left) {
    process.stdout.write(`left     ${plain(path)}\n`);
  }
  return EXIT.ok;
}

function checkout(options: ProgramOptions, session: string, flags: CheckoutFlags): Promise<number> {
  return withConnection(options, async ({ client }) => {
    const sessionId = await findSession(client, session);
    const user = await openUserFolder(resolve(flags.repo), options.environment);
    return withScratch(async scratch => {
      const { bundle, file } = await fetchBundle(client, user, scratch, { sessionId, from: treeOf(flags) });
      const [first] = bundle.sensitive;
      if (first && flags.switch && !flags.withSensitive) {
        throw new SandpiperError(
          'forbidden',
          `Files that can run code on this machine were not accepted, ${first.path} among ${bundle.sensitive.length}: ${first.reason}.`,
          { hint: 'Accept them, take only what is accepted with --from accepted, or add --with-sensitive.' },
        );
      }
      const branch = flags.branch ?? bundle.branch;
      const { moved } = await checkOutBranch(user, {
        file,
        commit: bundle.commit,
        branch,
        switchTo: flags.switch,
        carry: flags.carry,
      });
      process.stdout.write(`${flags.switch ? 'switched to' : moved ? 'made' : 'unchanged'} ${branch}\n`);
      return EXIT.ok;
    });
  });
}

function patch(options: ProgramOptions, session: string, flags: { from?: string }): Promise<number> {
  return withConnection(options, async ({ client }) => {
    const sessionId = await findSession(client, session);
    return withScratch(async scratch => {
      const { file } = await fetchPatch(client, scratch, { sessionId, from: treeOf(flags) });
      const content = await readFile(file);
      await new Promise<void>(resolved => process.stdout.write(content, () => resolved()));
      return EXIT.ok;
    });
  });
}

async function refuseCutOff(records: ApplyRecords, root: string): Promise<void> {
  const half = await cutOff(records, root);
  if (half) {
    throw new SandpiperError('conflict', `An earlier apply of "${half.title}" to ${root} was cut off.`, {
      hint: '`sandpiper unapply` takes it back, `sandpiper unapply --finish` finishes it.',
    });
  }
}

function treeOf({ from }: { from?: string }): LandingTree | undefined {
  return from === undefined ? undefined : landingTreeSchema.parse(from);
}

function recordsOf({ config }: ProgramOptions): ApplyRecords {
  return new ApplyRecords(join(config.dataFolder, 'applies'));
}

async function withScratch(action: (folder: string) => Promise<number>): Promise<number> {
  const folder = await makeScratchFolder('apply');
  try {
    return await action(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
