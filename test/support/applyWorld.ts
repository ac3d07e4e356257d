import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { applyPlan } from '../../landing/applyChanges.ts';
import { ApplyRecords, type ApplyRecord } from '../../landing/applyRecord.ts';
import { planApply, type ApplyPlan, type UnsavedText } from '../../landing/planApply.ts';
import { unpackBundle } from '../../landing/unpackBundle.ts';
import { openUserFolder, type UserFolder } from '../../landing/userFolder.ts';
import { commitAll, makeRepository, runGit } from './tempRepository.ts';

/** A user's folder at the base, and a session's change of it as the bundle that the relay would make. */
export class ApplyWorld {
  readonly folder: string;
  /** The user's. */
  readonly root: string;
  readonly records: ApplyRecords;
  readonly base: string;
  #plans = 0;

  /** @param files of the base */
  constructor(folder: string, files: Record<string, string | Buffer>) {
    this.folder = folder;
    this.root = join(folder, 'user');
    this.records = new ApplyRecords(join(folder, 'applies'));
    this.base = makeRepository(this.root, files);
    runGit(folder, ['clone', '-q', this.root, join(folder, 'agent')]);
  }

  /** Changes the agent's clone and commits it. */
  agent(change: (root: string) => void): string {
    const root = join(this.folder, 'agent');
    change(root);
    return commitAll(root, 'the agent');
  }

  user(): Promise<UserFolder> {
    return openUserFolder(this.root, process.env);
  }

  /** What applying the agent's clone would do. */
  async plan(unsaved?: UnsavedText): Promise<ApplyPlan> {
    const agent = join(this.folder, 'agent');
    const scratch = join(this.folder, `scratch-${++this.#plans}`);
    mkdirSync(scratch);
    runGit(agent, ['update-ref', 'refs/sandpiper/base', this.base]);
    runGit(agent, ['update-ref', 'refs/sandpiper/landing', 'HEAD']);
    const bundle = join(scratch, 'bundle');
    runGit(agent, ['bundle', 'create', '-q', bundle, 'refs/sandpiper/base', 'refs/sandpiper/landing']);
    const user = await this.user();
    return planApply(user, await unpackBundle(user, bundle, scratch), unsaved);
  }

  async apply(plan?: ApplyPlan): Promise<ApplyRecord> {
    const about = { sessionId: 'ses_x', title: 'A change', commit: this.base, from: 'all' as const };
    return applyPlan(this.records, await this.user(), plan ?? (await this.plan()), { about });
  }
}
