import assert from 'node:assert/strict';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { eventually } from '../support/eventually.ts';
import type { StepInput } from '../support/modelScript.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { runGit } from '../support/tempRepository.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === 1;
const WORK: StepInput[] = [
  { tool: 'Bash', input: { command: 'git status --short --branch; git rev-parse HEAD; echo new > added.txt' } },
  { text: 'Done.' },
];

describe('a sandbox that is kept ready', function () {
  this.timeout(90_000);
  let shop: Workshop;

  before(async function () {
    shop = await openWorkshop({ SANDPIPER_SPARE_SANDBOXES: '1' });
    const { providers } = await shop.client.call('relay.info', {});
    const isolation = providers.find(({ id }) => id === 'local')?.isolation;
    requireOrSkip(this, 'a sandbox that is kept ready', isolation === 'process', 'nothing isolates here');
  });
  after(async () => {
    await shop?.dispose();
  });

  const sandboxes = () => join(shop.dataFolder, 'sandboxes');

  /** The folders of sandboxes that no session has, with a whole clone in them. */
  async function spares(): Promise<string[]> {
    const names = (await readdir(sandboxes())).filter(name => name.startsWith('snd_'));
    const found = [];
    for (const name of names) {
      const record = await readFile(join(sandboxes(), name, 'relay', 'sandbox.json'), 'utf8').catch(() => '');
      const isWhole = await readFile(join(sandboxes(), name, 'workspace', '.git', 'sandpiper.index')).catch(() => '');
      if (record.includes('"spare-') && isWhole !== '') {
        found.push(name);
      }
    }
    return found;
  }

  async function warm(): Promise<number> {
    await shop.client.call('repository.warm', { source: shop.repository });
    const [spare = ''] = await eventually(async () => {
      const found = await spares();
      assert.equal(found.length, 1);
      return found;
    }, 30_000);
    return (await stat(join(sandboxes(), spare, 'workspace'))).ino;
  }

  const inodeOf = async (id: string) => (await stat(await shop.workspace(id))).ino;

  async function works(id: string): Promise<SessionState> {
    const state = await shop.until(id, 'its turn', idle, 40_000);
    const head = runGit(shop.repository, ['rev-parse', 'HEAD']);
    const output = state.items.find(item => item.kind === 'tool')?.output?.text ?? '';
    assert.equal(output, `## main\n${head}`);
    const { files } = await shop.client.call('changes.list', { sessionId: id });
    assert.deepEqual(
      files.map(({ path, status }) => [path, status]),
      [['added.txt', 'added']],
    );
    return state;
  }

  it('becomes that of the next session, at the commit that this one begins at', async () => {
    const inode = await warm();
    await writeFile(join(shop.repository, 'later.txt'), 'later\n');
    await rm(join(shop.repository, 'README.md'));
    runGit(shop.repository, ['add', '-A']);
    runGit(shop.repository, ['commit', '-qm', 'Later']);
    const id = await shop.begin(WORK);
    await works(id);
    assert.equal(await inodeOf(id), inode, 'it is the same folder');
    assert.equal(await readFile(join(await shop.workspace(id), 'later.txt'), 'utf8'), 'later\n');
    assert.deepEqual((await readdir(await shop.workspace(id))).includes('README.md'), false);
  });

  it('is made anew after a session has begun, and one session alone gets it', async () => {
    await eventually(async () => assert.equal((await spares()).length, 1), 30_000);
    const ids = await Promise.all([shop.begin(WORK), shop.begin(WORK), shop.begin(WORK)]);
    await Promise.all(ids.map(works));
    const inodes = await Promise.all(ids.map(inodeOf));
    assert.equal(new Set(inodes).size, 3);
  });

  it('is no garbage while it waits, and goes when its relay is gone', async () => {
    const inode = await warm();
    const { removed } = await shop.client.call('relay.collect', { dryRun: false });
    assert.deepEqual(
      removed.filter(({ kind }) => kind === 'sandbox'),
      [],
    );
    assert.equal(await warm(), inode);
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
    await eventually(async () => assert.deepEqual(await spares(), []), 30_000);
    await works(await shop.begin(WORK));
  });

  it('keeps no session from beginning when it is damaged', async () => {
    await warm();
    const [spare = ''] = await spares();
    await rm(join(sandboxes(), spare, 'workspace', '.git'), { recursive: true });
    await writeFile(join(sandboxes(), spare, 'workspace', '.git'), 'gitdir: /nowhere\n');
    await works(await shop.begin(WORK));
    await warm();
    const [other = ''] = await spares();
    await rm(join(sandboxes(), other), { recursive: true });
    await works(await shop.begin(WORK));
  });
});
