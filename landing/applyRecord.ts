import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as z from 'zod';
import type { ConflictReason } from './decide.ts';
import type { FileState } from './fileState.ts';
import { inBatches } from './inBatches.ts';
import type { ApplyPlan, Content } from './planApply.ts';

/*
 * What an apply does to a folder, written down before it does anything: with it a crash can be finished or undone, and a
 * whole apply be taken back later. One folder a record, with every content before and after.
 */

const stateSchema: z.ZodType<FileState> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('absent') }),
  z.object({ kind: z.literal('file'), executable: z.boolean(), bytes: z.number(), sha256: z.string() }),
  z.object({ kind: z.literal('link'), target: z.string() }),
  z.object({ kind: z.literal('folder') }),
  z.object({ kind: z.literal('other') }),
]);

const recordSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  sessionId: z.string(),
  title: z.string(),
  /** Top of the work tree. */
  root: z.string(),
  /** What was applied. */
  commit: z.string(),
  from: z.enum(['accepted', 'all']),
  /** A rejection that was made in the applied files: it is undone by itself, but kept only as long as the apply before it. */
  part: z.literal('rejection').optional(),
  at: z.number(),
  /** `applying` and `undoing` of a process that is gone: it was cut off. */
  phase: z.enum(['applying', 'applied', 'undoing']),
  pid: z.number(),
  /** Whether the file system says which files are executable. */
  hasModes: z.boolean(),
  /** Whether it takes names that differ only in capital letters for the same. */
  ignoreCase: z.boolean(),
  files: z.array(z.object({ path: z.string(), before: stateSchema, after: stateSchema })),
  /** Changed in editors that had unsaved text. */
  edits: z.array(z.object({ path: z.string() })),
  conflicts: z.array(
    z.object({
      path: z.string(),
      /** Where the user's file is. */
      oursPath: z.string(),
      reason: z.string(),
      has: z.array(z.string()),
      resolved: z.boolean(),
    }),
  ),
});
export type ApplyRecord = z.infer<typeof recordSchema>;
export type RecordedFile = ApplyRecord['files'][number];
export type RecordSide = 'before' | 'after';
type ConflictPart = 'base' | 'ours' | 'theirs' | 'marked';

const KEPT = 20;
const ID = /^\d{15}-[0-9a-f]{8}$/;

/** The records of one computer's user. */
export class ApplyRecords {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Writes a plan down with all its contents. Nothing counts until this resolves. */
  async create(
    plan: ApplyPlan,
    about: Pick<ApplyRecord, 'sessionId' | 'title' | 'root' | 'commit' | 'from' | 'part' | 'hasModes' | 'ignoreCase'>,
    now: number,
  ): Promise<ApplyRecord> {
    const id = `${String(now).padStart(15, '0')}-${randomBytes(4).toString('hex')}`;
    const conflicts: ApplyRecord['conflicts'] = [];
    try {
      await inBatches(plan.files, async ({ path, before, after, content }, index) => {
        if (before.kind === 'file') {
          await this.#keep(this.contentOf({ id }, index, 'before'), { file: join(about.root, path) });
        }
        if (after.kind === 'file' && content) {
          await this.#keep(this.contentOf({ id }, index, 'after'), content);
        }
      });
      for (const [index, { before, after }] of plan.edits.entries()) {
        await this.#keep(this.editOf({ id }, index, 'before'), { bytes: before });
        await this.#keep(this.editOf({ id }, index, 'after'), { bytes: after });
      }
      for (const [index, conflict] of plan.conflicts.entries()) {
        conflicts.push(await this.#keepConflict(id, index, conflict));
      }
      const record: ApplyRecord = {
        version: 1,
        id,
        ...about,
        at: now,
        phase: 'applying',
        pid: process.pid,
        files: plan.files.map(({ path, before, after }) => ({ path, before, after })),
        edits: plan.edits.map(({ path }) => ({ path })),
        conflicts,
      };
      await this.write(record);
      return record;
    } catch (error) {
      await this.remove({ id });
      throw error;
    }
  }

  async write(record: ApplyRecord): Promise<void> {
    const folder = join(this.#folder, record.id);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const aside = join(folder, 'record.json.new');
    const file = await open(aside, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(record));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, join(folder, 'record.json'));
  }

  /** The records of a folder, the latest first. What is damaged or half written counts as not there. */
  async list(root: string): Promise<ApplyRecord[]> {
    const ids = (await readdir(this.#folder).catch(() => [])).filter(name => ID.test(name)).sort();
    const records = await Promise.all(ids.toReversed().map(id => this.#read(id)));
    return records.filter(record => record !== undefined).filter(record => record.root === root);
  }

  async remove({ id }: Pick<ApplyRecord, 'id'>): Promise<void> {
    await rm(join(this.#folder, id), { recursive: true, force: true });
  }

  /** Removes what nobody will undo any more. */
  async prune(root: string): Promise<void> {
    const done = (await this.list(root)).filter(({ phase }) => phase === 'applied');
    const whole = done.filter(({ part }) => part === undefined);
    const oldest = whole[KEPT - 1] ?? whole.at(-1);
    const end = oldest ? done.indexOf(oldest) + 1 : 0;
    await Promise.all(done.slice(end).map(record => this.remove(record)));
  }

  contentOf({ id }: Pick<ApplyRecord, 'id'>, index: number, side: RecordSide): string {
    return join(this.#folder, id, side, String(index));
  }

  editOf({ id }: Pick<ApplyRecord, 'id'>, index: number, side: RecordSide): string {
    return join(this.#folder, id, 'edits', side, String(index));
  }

  /** Where an editor may put what a conflict is resolved to, under the file's own name. */
  resultOf({ id, conflicts }: ApplyRecord, index: number): string {
    return join(this.#folder, id, 'conflicts', String(index), 'result', basename(conflicts[index]?.path ?? 'result'));
  }

  /** A side of a conflict, under the file's own name, so that an editor knows the language. */
  conflictOf({ id, conflicts }: ApplyRecord, index: number, part: ConflictPart): string | undefined {
    const conflict = conflicts[index];
    return conflict?.has.includes(part) ? this.#conflictFile(id, index, part, conflict.path) : undefined;
  }

  #conflictFile(id: string, index: number, part: ConflictPart, path: string): string {
    return join(this.#folder, id, 'conflicts', String(index), part, basename(path));
  }

  async #keepConflict(
    id: string,
    index: number,
    conflict: ApplyPlan['conflicts'][number],
  ): Promise<ApplyRecord['conflicts'][number]> {
    const { path, marked } = conflict;
    const reason: ConflictReason = conflict.reason;
    const has: ConflictPart[] = [];
    // A name that is forbidden must not be used for these either.
    const parts: ConflictPart[] = reason === 'forbiddenName' ? [] : ['base', 'ours', 'theirs', 'marked'];
    for (const part of parts) {
      const content = part === 'marked' ? marked && { bytes: marked } : conflict[part];
      if (content) {
        await this.#keep(this.#conflictFile(id, index, part, path), content);
        has.push(part);
      }
    }
    return { path, oursPath: conflict.oursPath, reason, has, resolved: false };
  }

  async #keep(path: string, content: Content): Promise<void> {
    await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
    await ('file' in content ? copyFile(content.file, path) : writeFile(path, content.bytes));
  }

  async #read(id: string): Promise<ApplyRecord | undefined> {
    try {
      return recordSchema.parse(JSON.parse(await readFile(join(this.#folder, id, 'record.json'), 'utf8')));
    } catch {
      return undefined;
    }
  }
}
