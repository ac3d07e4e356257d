import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { createRelayClient, type RelayClient } from '../../client/relayClient.ts';
import { findRelay } from '../../client/localRelay.ts';
import { createWsSocket } from '../../client/wsSocket.ts';
import { isRecord } from '../../protocol/isRecord.ts';
import { makeSample } from '../../scripts/demo/sample.ts';
import { Cli, type CliResult } from '../support/cliProcess.ts';
import { isAlive } from '../support/relaysOf.ts';
import { eventually } from '../support/eventually.ts';
import { startGithubServer, type GithubServer } from '../support/githubServer.ts';
import { scripted, type StepInput } from '../support/modelScript.ts';
import { noisePng } from '../support/noisePng.ts';
import { plainGit } from '../support/plainGit.ts';
import { temporaryFolder } from '../support/relayProcess.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { startScriptedModel, type ScriptedModel } from '../support/scriptedModel.ts';
import { REAL_KEY } from '../support/workshop.ts';

const CHANGE: StepInput[] = [
  { text: 'I change it.', tool: 'Bash', input: { command: 'echo new > added.txt && echo said' } },
  { text: 'All done.' },
];
const ASKED: StepInput[] = [{ tool: 'Bash', input: { command: 'touch asked.txt' } }, { text: 'Thank you.' }];

describe('the command line', function () {
  this.timeout(60_000);
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  let model: ScriptedModel;
  let github: GithubServer;
  let cli: Cli;
  let repository = '';
  let client: RelayClient;

  before(async () => {
    scratch = await temporaryFolder();
    repository = join(scratch.path, 'sample');
    await makeSample(repository);
    model = await startScriptedModel({ apiKey: REAL_KEY });
    github = await startGithubServer();
    const { cloneUrl } = await github.createRepository('owner', 'sample', { from: repository });
    await plainGit(repository, ['remote', 'add', 'origin', cloneUrl]);
    const dataFolder = join(scratch.path, 'data');
    cli = new Cli(dataFolder, {
      ANTHROPIC_BASE_URL: model.url,
      ANTHROPIC_API_KEY: REAL_KEY,
      SANDPIPER_GITHUB_HOSTS: `${github.host}=${github.apiUrl}`,
      SANDPIPER_GITHUB_TOKEN: github.token,
    });
    client = createRelayClient({
      client: { name: 'test', version: '0' },
      connect: async () => {
        const found = await findRelay(dataFolder);
        if (!found) {
          throw new Error('There is no relay.');
        }
        return createWsSocket(found.url, found.token);
      },
    });
    client.connect();
  });
  after(async () => {
    try {
      const { sessions } = await client.call('session.list', { limit: 500 }, { timeoutMs: 3000 });
      for (const { id } of sessions) {
        await client.call('session.archive', { sessionId: id, archived: true });
      }
    } finally {
      client.dispose();
      await cli.dispose();
      await model.close();
      await github.close();
      await scratch.remove();
    }
  });

  const runArgs = (script: readonly StepInput[], ...flags: string[]) => [
    'run',
    scripted('Please', script),
    '--repo',
    repository,
    ...flags,
  ];
  const idOf = ({ stdout }: CliResult) => /ses_[0-9a-z]{26}/.exec(stdout)?.[0] ?? '';

  it('starts the relay when there is none; it is no child that dies with the command, and the next finds it', async () => {
    const first = await cli.run(['sessions']);
    assert.deepEqual([first.code, first.stdout, first.stderr], [0, '', '']);
    const pid = await cli.relayPid();
    assert.ok(pid !== undefined && isAlive(pid));
    assert.equal((await cli.run(['sessions'])).code, 0);
    assert.equal(await cli.relayPid(), pid);
  });

  it('`run` shows the turn as text and ends with 0', async () => {
    const result = await cli.run(runArgs(CHANGE, '--permissions', 'autopilot'));
    assert.equal(result.code, 0, result.stderr);
    for (const part of [/^session ses_/m, /I change it\./, /▸ Bash/, /^ {2}said$/m, /All done\./, /turn completed/]) {
      assert.match(result.stdout, part);
    }
    assert.match(result.stdout, /1 file \+1 −0/);
    assert.equal(result.stdout.includes('\u001B'), false, 'no colours where there is no terminal');
  });

  it('`run --json` prints JSON lines only: the answer, then every event once, in order', async () => {
    const result = await cli.run(runArgs(CHANGE, '--permissions', 'autopilot', '--json'));
    assert.equal(result.code, 0, result.stderr);
    const lines = result.stdout.trimEnd().split('\n').map(readJson);
    assert.match(String(lines[0]?.['sessionId']), /^ses_/);
    const events = lines.slice(1);
    assert.deepEqual(
      events.map(event => event['seq']),
      events.map((_, index) => index + 1),
    );
    assert.deepEqual([typeOf(events.at(0)), typeOf(events.at(-1))], ['sessionCreated', 'turnFinished']);
  });

  it('`run` ends with 1 when the turn fails, and says why', async () => {
    const result = await cli.run(runArgs([{ status: 401 }]));
    assert.equal(result.code, 1);
    assert.match(result.stdout, /does not accept the key.*valid model key/);
    assert.match(result.stdout, /turn failed/);
  });

  it('`run` ends with 3 at a question when nobody can be asked; another client answers and the turn goes on', async () => {
    const result = await cli.run(runArgs(ASKED));
    assert.equal(result.code, 3, result.stderr);
    assert.match(result.stderr, /waits for you.*sandpiper logs -f ses_/);
    const sessionId = idOf(result);
    const state = await client.call('session.get', { sessionId });
    assert.equal(state.approvals.length, 1);
    await client.call('session.answer', {
      sessionId,
      approvalId: state.approvals[0]?.id ?? '',
      decision: { kind: 'allow' },
    });
    await eventually(async () =>
      assert.equal((await client.call('session.get', { sessionId })).turns[0]?.agent?.outcome, 'completed'),
    );
  });

  describe('at a terminal', () => {
    /** `script` of util-linux gives the command a terminal and hands on its exit code. */
    const atTerminal = (command: string[]) => [
      'script',
      '-qec',
      command.map(word => `'${word.replaceAll("'", `'\\''`)}'`).join(' '),
      '/dev/null',
    ];
    before(async function () {
      const works = await cli
        .run(['--version'], { wrap: atTerminal })
        .then(({ code, stdout }) => code === 0 && /\d/.test(stdout))
        .catch(() => false);
      requireOrSkip(this, 'command line at a terminal', works, 'There is no `script` of util-linux.');
    });

    it('asks, and `y` lets the agent go on', async () => {
      const command = cli.start(runArgs(ASKED), { wrap: atTerminal });
      await shows(command, /\(n\)o: /);
      command.stdin?.write('y\r');
      const { code, stdout } = await command.result;
      assert.equal(code, 0, stdout);
      assert.match(stdout, /Waiting for you/);
      assert.match(stdout, /Thank you\./);
      assert.match(stdout, /turn completed/);
    });

    it('ends with 130 at Ctrl-C in a question, which stays open', async () => {
      const command = cli.start(runArgs(ASKED), { wrap: atTerminal });
      await shows(command, /\(n\)o: /);
      command.stdin?.write('\u0003');
      const result = await command.result;
      assert.equal(result.code, 130, result.stdout);
      assert.equal((await client.call('session.get', { sessionId: idOf(result) })).approvals.length, 1);
    });

    it('counts down while the relay is away, and Enter tries now', async () => {
      const endless: StepInput[] = [{ tool: 'Bash', input: { command: 'tail -f /dev/null' } }, { text: 'never' }];
      const command = cli.start(runArgs(endless, '--permissions', 'autopilot'), { wrap: atTerminal });
      const sessionId = /ses_[0-9a-z]{26}/.exec(await shows(command, /▸.*Bash/))?.[0] ?? '';
      process.kill((await cli.relayPid()) ?? 0, 'SIGKILL');
      // By then the pauses are so long that nobody would call it at once.
      await shows(command, /Reconnecting, next try in ([5-9]|10) s\. Enter tries now\./);
      // It is tried at once, in vain, and the pauses begin anew.
      const tried = shows(command, /next try in 1 s/, 4_000);
      command.stdin?.write('\r');
      await tried;
      const again = shows(command, /Connected to the relay again\./);
      await cli.run(['sessions']);
      await again;
      await cli.run(['stop', sessionId]);
      const { code, stdout } = await command.result;
      assert.equal(code, 1, stdout);
      assert.match(stdout, /turn stopped/);
    });

    it('withdraws its question when somebody else answers', async () => {
      const command = cli.start(runArgs(ASKED), { wrap: atTerminal });
      const sessionId = /ses_[0-9a-z]{26}/.exec(await shows(command, /\(n\)o: /))?.[0] ?? '';
      const { approvals } = await client.call('session.get', { sessionId });
      await client.call('session.answer', {
        sessionId,
        approvalId: approvals[0]?.id ?? '',
        decision: { kind: 'deny', message: 'No.' },
      });
      const { code, stdout } = await command.result;
      assert.equal(code, 0, stdout);
    });
  });

  it('Ctrl-C ends the command with 130 and not the session; `logs -f` shows the rest and `stop` stops it', async () => {
    const endless: StepInput[] = [{ tool: 'Bash', input: { command: 'tail -f /dev/null' } }, { text: 'never' }];
    const command = cli.start(runArgs(endless, '--permissions', 'autopilot'));
    await shows(command, /▸ Bash/);
    command.kill('SIGINT');
    const result = await command.result;
    assert.equal(result.code, 130);
    const session = idOf(result).slice(-8);
    const following = cli.start(['logs', session, '-f']);
    await shows(following, /▸ Bash/);
    const end = shows(following, /turn stopped/);
    assert.equal((await cli.run(['stop', session])).stdout, 'stopping\n');
    await end;
    assert.equal((await cli.run(['stop', session])).stdout, 'nothing was running\n');
    following.kill('SIGINT');
    assert.equal((await following.result).code, 130);
  });

  it('lists, prints, sends, shows the diff and opens the pull request of a session', async () => {
    const id = idOf(await cli.run(runArgs(CHANGE, '--permissions', 'autopilot', '--title', 'Add a file')));
    assert.match((await cli.run(['sessions'])).stdout, new RegExp(`^${id} .*sample {2}Add a file$`, 'm'));
    const listed = readJson((await cli.run(['sessions', '--json'])).stdout.split('\n')[0] ?? '');
    assert.match(String(listed['id']), /^ses_/);

    const logs = await cli.run(['logs', id.slice(-6)]);
    assert.match(logs.stdout, /All done\.[^]*turn completed/);
    assert.equal(logs.code, 0);

    const sent = await cli.run(['send', id, scripted('And', [{ text: 'Second answer.' }])]);
    assert.equal(sent.code, 0, sent.stderr);
    assert.match(sent.stdout, /Second answer\./);

    assert.match((await cli.run(['diff', id])).stdout, /^\+new$/m);
    const opened = await cli.run(['pr', id, '--issue', '3', '--json']);
    assert.equal(opened.code, 0, opened.stderr);
    assert.equal(readJson(opened.stdout)['created'], true);
    assert.match(github.pullRequests()[0]?.body ?? '', /Closes #3/);
    const again = await cli.run(['pr', id]);
    assert.match(again.stdout, /^http:\/\/127\.0\.0\.1:\d+\/owner\/sample\/pull\/1\n$/);
  });

  it('`run` and `send` take images, and say of each file that they do not take why', async () => {
    const file = async (name: string, content: Buffer | string): Promise<string> => {
      await writeFile(join(scratch.path, name), content);
      return join(scratch.path, name);
    };
    // Whatever it is called: its content says what it is.
    const [first, second] = [noisePng(20), noisePng(30)];
    const images = ['--image', await file('first.jpg', first), '--image', await file('second.png', second)];
    const { code, stdout, stderr } = await cli.run(runArgs([{ text: 'Seen.' }], ...images));
    assert.equal(code, 0, stderr);
    const seen = () => model.requests().findLast(request => request.images.length > 0)?.images;
    assert.deepEqual(
      seen(),
      [first, second].map(image => image.toString('base64')),
    );
    const id = /ses_[0-9a-z]{26}/.exec(stdout)?.[0] ?? '';
    const sent = await cli.run(['send', id, scripted('This too', [{ text: 'Yes.' }]), ...images.slice(0, 2)]);
    assert.equal(sent.code, 0, sent.stderr);
    assert.equal(seen()?.length, 3);
    for (const [path, said] of [
      [await file('text.png', 'no image'), /"[^"]*text\.png" is not an image\./],
      [await file('large.png', noisePng(900)), /large\.png" has \d+ bytes; an image may have 2000000\./],
      [join(scratch.path, 'none.png'), /The image cannot be read: ENOENT/],
      [scratch.path, /is not a file\./],
    ] as const) {
      const refused = await cli.run(runArgs([{ text: 'Never.' }], '--image', path));
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, said);
    }
  });

  it('`run --detach` ends at once', async () => {
    const result = await cli.run(runArgs([{ text: 'later' }], '--detach', '--json'));
    assert.equal(result.code, 0);
    assert.match(String(readJson(result.stdout)['sessionId']), /^ses_/);
  });

  it('`doctor` ends with 0 when everything is there, and each check says what it found', async () => {
    const { code, stdout } = await cli.run(['doctor', '--json']);
    const checks = stdout.trimEnd().split('\n').map(readJson);
    assert.equal(code, 0, stdout);
    assert.deepEqual(
      checks.map(check => check['name']),
      ['node', 'git', 'store', 'disk', 'sandbox local', 'sandbox docker', 'agent claude', 'model key'],
    );
    assert.ok(checks.every(check => String(check['detail']).length > 0));
  });

  it('ends with 1 when the relay refuses, with the reason and what to do on stderr alone', async () => {
    const refused: [string[], RegExp][] = [
      [['logs', 'ses_00000000000000000000000000'], /no session ses_0{26}.*List the sessions/],
      [['diff', 'zzzzzz'], /No session ends with "zzzzzz".*sandpiper sessions/],
      [['run', 'x', '--repo', join(scratch.path, 'nowhere')], /nowhere.*no such folder.*Check the path/],
      [['run', 'x', '--repo', repository, '--base', 'no-such-branch'], /"no-such-branch".*Choose another base/],
    ];
    for (const [args, words] of refused) {
      const result = await cli.run(args);
      assert.equal(result.code, 1, args.join(' '));
      assert.equal(result.stdout, '');
      assert.match(result.stderr, words);
    }
    const json = await cli.run(['logs', 'ses_00000000000000000000000000', '--json']);
    assert.match(json.stderr, /^\{"error":\{.*"code":"not_found".*\}\}\n$/);
  });

  it('ends with 2 at wrong words, before any relay is asked', async () => {
    const wrong = [
      ['nonsense'],
      [],
      ['run'],
      ['run', 'x', '--permissions', 'all'],
      ['run', 'x', '--budget', 'much'],
      ['pr', 'x', '--issue', 'seven'],
      ['serve', '--port', '99999'],
      ['sessions', '--no-such-flag'],
    ];
    const elsewhere = new Cli(join(scratch.path, 'elsewhere'));
    for (const args of wrong) {
      const result = await elsewhere.run(args);
      assert.equal(result.code, 2, args.join(' '));
      assert.equal(result.stdout, '');
      assert.match(result.stderr, /sandpiper/);
    }
    assert.equal(await elsewhere.relayPid(), undefined);
  });

  it('ends quietly when its reader has seen enough', async () => {
    const command = cli.start(['sessions', '--json']);
    command.stdout?.destroy();
    const { code, stderr } = await command.result;
    assert.deepEqual([code, stderr], [0, '']);
  });

  it('ends with 4 when no relay can be started, with the reason', async () => {
    const folder = join(scratch.path, 'blocked');
    await mkdir(join(folder, 'token'), { recursive: true });
    const result = await new Cli(folder).run(['sessions']);
    assert.equal(result.code, 4);
    assert.match(result.stderr, /did not start.*exit code 4/);
    assert.match(result.stderr, /token file .* cannot be read/);
  });
});

describe('`sandpiper doctor` where things are missing', function () {
  this.timeout(60_000);

  it('ends with 1 and says for each what to do', async () => {
    const scratch = await temporaryFolder();
    const cli = new Cli(scratch.path, { SANDPIPER_CLAUDE: '/no/such/claude', ANTHROPIC_API_KEY: '' });
    try {
      const { code, stdout } = await cli.run(['doctor']);
      assert.equal(code, 1);
      assert.match(
        stdout,
        /failed {2}agent claude: There is no Claude Code program at \/no\/such\/claude\.\n +Install it/,
      );
      assert.match(stdout, /failed {2}model key: missing\n +Set ANTHROPIC_API_KEY/);
    } finally {
      await cli.dispose();
      await scratch.remove();
    }
  });
});

/** Waits until a command has shown this; resolves with all that it has shown since it was asked. */
async function shows(command: ChildProcess, what: RegExp, timeoutMs = 30_000): Promise<string> {
  let shown = '';
  command.stdout?.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  await eventually(() => assert.match(shown, what), timeoutMs);
  return shown;
}

function readJson(line: string): Record<string, unknown> {
  const value: unknown = JSON.parse(line);
  assert.ok(isRecord(value));
  return value;
}

function typeOf(event: Record<string, unknown> | undefined): unknown {
  return isRecord(event?.['body']) ? event['body']['type'] : undefined;
}
