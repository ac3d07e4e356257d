import { statfs } from 'node:fs/promises';
import type { CallResult } from '../../protocol/calls.ts';
import { errorText, toSandpiperError } from '../../protocol/errors.ts';
import type { ForgeAccount } from '../../protocol/signInCalls.ts';
import type { Config } from './core/config.ts';
import type { Dependencies } from './sessions/dependencies.ts';
import { gitVersion } from './git/git.ts';

type Check = CallResult<'relay.checks'>['checks'][number];

const LOW_DISK_BYTES = 1024 ** 3;
const MIN_NODE = [22, 18] as const;

/** What `sandpiper doctor` shows: everything that a session needs, each with what to do when it is not there. */
export async function runChecks(
  config: Config,
  dependencies: Dependencies,
  { hasModelKey, accounts }: { hasModelKey: boolean; accounts: readonly ForgeAccount[] },
): Promise<Check[]> {
  const checks: Promise<Check>[] = [
    Promise.resolve(nodeCheck()),
    attempt('git', 'Install git.', async () => `git ${await gitVersion()}`),
    attempt('store', 'Look at the log of the relay.', async () => {
      await dependencies.store.check();
      return `${config.dataFolder} can be read and written`;
    }),
    diskCheck(config.dataFolder),
    ...(await providerChecks(dependencies)).map(check => Promise.resolve(check)),
    ...[...dependencies.agents.values()].map(agent =>
      attempt(`agent ${agent.id}`, 'Install Claude Code: npm install -g @anthropic-ai/claude-code', async () => {
        const { version, path } = await dependencies.findAgent(agent.id);
        return `${agent.displayName} ${version} at ${path}`;
      }),
    ),
    Promise.resolve(modelKeyCheck(hasModelKey)),
    ...accounts.map(account => Promise.resolve(accountCheck(config, account))),
  ];
  return Promise.all(checks);
}

/** One place to work is enough: what else is not set up is told, and is no trouble. */
async function providerChecks({ providers }: Dependencies): Promise<Check[]> {
  const probes = await Promise.all(
    [...providers.values()].map(async provider => ({ id: provider.id, probe: await provider.probe() })),
  );
  const isolated = probes.some(({ probe }) => probe.available && probe.capabilities.isolation !== 'none');
  const usable = probes.some(({ probe }) => probe.available);
  return probes.map(({ id, probe }): Check => {
    const { available, capabilities, reason, hint } = probe;
    const rest = { name: `sandbox ${id}`, ...(hint ? { hint } : {}) };
    if (!available) {
      const detail = `${isolated ? 'not in use: ' : ''}${reason ?? 'not available'}`;
      return { ...rest, status: isolated ? 'ok' : usable ? 'warning' : 'failed', detail };
    }
    return capabilities.isolation === 'none'
      ? { ...rest, status: 'warning', detail: `no isolation: ${reason ?? 'this machine offers none'}` }
      : { name: rest.name, status: 'ok', detail: `isolation ${capabilities.isolation}` };
  });
}

function modelKeyCheck(present: boolean): Check {
  return present
    ? { name: 'model key', status: 'ok', detail: 'present; it stays in the relay' }
    : {
        name: 'model key',
        status: 'failed',
        detail: 'missing',
        hint: 'Set ANTHROPIC_API_KEY for the relay, or run “Sandpiper: Set Anthropic API Key…” in VS Code.',
      };
}

/** Says it from what is known; the forge is not asked. */
function accountCheck({ githubToken, githubApp }: Config, { host, login, expiresAt, renewable }: ForgeAccount): Check {
  const name = `forge ${host}`;
  const who = `signed in as ${login ?? 'somebody'}`;
  if (expiresAt !== undefined && expiresAt < Date.now() && !renewable) {
    return { name, status: 'warning', detail: `${who}, which has ended`, hint: `Run \`sandpiper login ${host}\`.` };
  }
  const before = githubApp?.host === host ? 'the GitHub App' : githubToken === undefined ? undefined : 'a token';
  return before === undefined
    ? { name, status: 'ok', detail: who }
    : { name, status: 'ok', detail: `${who}; ${before} of the relay's settings is used instead` };
}

function nodeCheck(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const enough = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  return {
    name: 'node',
    status: enough ? 'ok' : 'failed',
    detail: process.versions.node,
    ...(enough ? {} : { hint: `Sandpiper needs Node ${MIN_NODE.join('.')} or newer.` }),
  };
}

async function diskCheck(folder: string): Promise<Check> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const detail = `${(free / 1024 ** 3).toFixed(1)} GiB free`;
  return free < LOW_DISK_BYTES
    ? { name: 'disk', status: 'warning', detail, hint: 'Make room: sessions stop cleanly when the disk is full.' }
    : { name: 'disk', status: 'ok', detail };
}

async function attempt(name: string, hint: string, look: () => Promise<string>): Promise<Check> {
  try {
    return { name, status: 'ok', detail: await look() };
  } catch (error) {
    const failure = toSandpiperError(error);
    return {
      name,
      status: 'failed',
      detail: failure.code === 'internal' ? errorText(failure) : failure.message,
      hint: failure.hint ?? hint,
    };
  }
}
