import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { SandpiperError } from '../../../protocol/errors.ts';
import { readForgeHosts, readForges, type ForgeConfig, type ForgeHost } from './forgeConfig.ts';
import { readGithubAppConfig, readGithubClientId, type GithubAppConfig } from './githubAppConfig.ts';
import { readHookConfig, type HookConfig } from './hookConfig.ts';
import type { LogLevel } from './log.ts';
import { readVendorConfig, type VendorConfig } from './vendorConfig.ts';

/** Everything that can be set, with where it came from already decided. The only reader of the environment. */
export interface Config {
  /** Holds the store, blobs, mirrors, sandboxes, the address file and the log. */
  dataFolder: string;
  host: string;
  /** 0 lets the system choose. */
  port: number;
  logLevel: LogLevel;
  /** The real model key; never leaves the relay. */
  modelKey: { kind: 'apiKey' | 'authToken'; value: string } | undefined;
  modelUrl: string;
  /** How sandboxes that cannot have a unix socket of this machine reach the model gateway. */
  gateway: { publicUrl: string; host: string; port: number } | undefined;
  /** What programs in sandboxes may reach: words for rules, as a person writes them. */
  network: { allow: string[]; privateHosts: string[]; maxSentBytes: number };
  docker: DockerConfig;
  /** Where sandboxes may be had besides this machine. */
  vendors: VendorConfig;
  /** Path of the `claude` program; default: the one on PATH. */
  claudePath: string | undefined;
  /** Where the user's own Claude Code keeps its conversations; only read. */
  claudeFolder: string;
  /** Token for the forge when a call brings none. */
  githubToken: string | undefined;
  githubApp: GithubAppConfig | undefined;
  /** Of the App that people sign in to by the device flow. */
  githubClientId: string | undefined;
  /** Further GitHub hosts (Enterprise Server) as host or `host=apiUrl`. */
  githubHosts: ForgeHost[];
  /** Gitea and Forgejo. */
  gitea: ForgeConfig;
  gitlab: ForgeConfig;
  hooks: HookConfig;
  /** How often an open pull request is looked at while something is under way there; 0: never by itself. */
  pullRequestPollMs: number;
  /** The relay ends after this long without a client and without work; 0 means never. */
  idleExitMs: number;
  /** A relay that gave no sign of life for so long may be taken over from. */
  leaseMs: number;
  /** Further names that this relay is reached by, for the Host check. */
  hosts: string[];
  /** The root of the installed program, with `dist/` in it. */
  programFolder: string;
  /** An agent with nothing to do is ended after this long, and a session that nobody looks at leaves memory; 0: never. */
  idleMs: number;
  retention: Retention;
  /** For how many repositories a sandbox with a clone waits for the next session; 0: none. */
  spareSandboxes: number;
  /** An agent that is awaited and gives no sign of life for this long is stuck. */
  stuckMs: number;
  /** A model that sends nothing for this long is cut off, and the agent asks it again. */
  modelSilenceMs: number;
  /** What PATH was, to find programs. */
  path: string;
}

export interface DockerConfig {
  /** How the `docker` command finds its engine, too. */
  engine: { host: string | undefined; certPath: string | undefined; runtimeFolder: string | undefined; home: string };
  image: string;
  /** 0: without limit. */
  limits: { memoryMb: number; cpus: number; processes: number };
  /** What containers join whose engine is elsewhere; others have no network. */
  network: string | undefined;
}

/** How long and how much the relay keeps; 0 means without end, where the comment does not say otherwise. */
export interface Retention {
  /** A deleted session can be restored for this long; never 0. */
  deletedMs: number;
  /** What may be saved of a sandbox beside its commits; never 0. */
  archiveMaxBytes: number;
  /** A sandbox that was not used for this long is saved and removed. */
  sandboxIdleMs: number;
  /** A sandbox that is older is saved and removed as soon as it is idle. */
  sandboxMaxAgeMs: number;
  /** An agent that runs for longer ends as soon as it is idle. */
  agentMaxAgeMs: number;
  /** A mirror that no session needs stays for this long. */
  mirrorIdleMs: number;
  /** What the log of one session with its payloads may take. */
  sessionMaxBytes: number;
  /** What the data folder may take. */
  dataMaxBytes: number;
  /** How often to look for what may go; 0: only when asked. */
  gcIntervalMs: number;
  /** What is younger is never taken for garbage. */
  gcGraceMs: number;
}

export const VERSION = '0.1.0';

/** A month. */
const MAX_IDLE_MINUTES = 31 * 24 * 60;

/** Shorter ones would be lost to the pauses of a busy machine. */
const MIN_LEASE_MS = 500;

/** A day. */
const MAX_SECONDS = 24 * 3600;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The configuration from the environment; an empty variable counts as unset.
 * @throws `invalid_params` that names every wrong variable at once
 */
export function readConfig(env: Environment = process.env): Config {
  return configOf(withoutEmpty(env));
}

/** A variable that is set to nothing is one that is not set. */
function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
}

function configOf(env: Environment): Config {
  const problems: string[] = [];
  const config: Config = {
    dataFolder: dataFolderOf(env),
    host: env['SANDPIPER_HOST'] ?? '127.0.0.1',
    port: integer(env, 'SANDPIPER_PORT', 0, 65535, problems),
    logLevel: logLevel(env, problems),
    modelKey: modelKey(env),
    modelUrl: url(env, 'ANTHROPIC_BASE_URL', 'https://api.anthropic.com', problems),
    gateway: gatewayAddress(env, problems),
    network: {
      allow: words(env, 'SANDPIPER_NETWORK_ALLOW'),
      privateHosts: words(env, 'SANDPIPER_NETWORK_PRIVATE'),
      maxSentBytes: amount(env, 'SANDPIPER_NETWORK_MAX_SENT_MB', 200, 1e9, problems) * 1_000_000 || Infinity,
    },
    docker: docker(env, problems),
    vendors: readVendorConfig(env, problems),
    claudePath: env['SANDPIPER_CLAUDE'],
    claudeFolder: env['CLAUDE_CONFIG_DIR'] ?? join(homedir(), '.claude'),
    githubToken: env['SANDPIPER_GITHUB_TOKEN'] ?? env['GITHUB_TOKEN'],
    githubApp: readGithubAppConfig(env, problems),
    githubHosts: readForgeHosts(env, 'SANDPIPER_GITHUB_HOSTS', '/api/v3', problems),
    ...readForges(env, problems),
    githubClientId: readGithubClientId(env, problems),
    hooks: readHookConfig(env, problems),
    pullRequestPollMs: amount(env, 'SANDPIPER_PULL_REQUEST_SECONDS', 60, MAX_SECONDS, problems) * 1000,
    idleExitMs: integer(env, 'SANDPIPER_IDLE_EXIT_MS', 0, 2_000_000_000, problems),
    leaseMs: leaseMs(env, problems),
    hosts: (env['SANDPIPER_HOSTS'] ?? '').split(',').filter(host => host !== ''),
    programFolder: programFolder(),
    idleMs: idleMs(env, problems),
    retention: retention(env, problems),
    spareSandboxes: integer(env, 'SANDPIPER_SPARE_SANDBOXES', 1, 10, problems),
    stuckMs: seconds(env, 'SANDPIPER_STUCK_SECONDS', 120, problems),
    modelSilenceMs: seconds(env, 'SANDPIPER_MODEL_SILENCE_SECONDS', 110, problems),
    path: env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
  };
  if (problems.length > 0) {
    throw new SandpiperError('invalid_params', `The settings are wrong: ${problems.join('; ')}.`, {
      hint: 'Correct or unset these environment variables.',
    });
  }
  return config;
}

/** Where the data folder is, whether or not it exists. */
export function dataFolderOf(env: Environment): string {
  return resolve(env['SANDPIPER_DATA'] || defaultDataFolder(env));
}

/** From source this file is in server/src/core, in the bundle it is in a file of dist/server. */
function programFolder(): string {
  const folder = import.meta.dirname;
  return basename(folder) === 'core' ? dirname(dirname(dirname(folder))) : dirname(dirname(folder));
}

/** The environment as it is, for a child that must have the same. */
export function readEnvironment(): Environment {
  return process.env;
}

function defaultDataFolder(env: Environment): string {
  switch (process.platform) {
    case 'win32':
      return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'sandpiper');
    case 'darwin':
      return join(homedir(), 'Library', 'Application Support', 'sandpiper');
    default: {
      // The XDG specification says that a relative path is to be ignored.
      const xdg = env['XDG_DATA_HOME'];
      return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.local', 'share'), 'sandpiper');
    }
  }
}

/** A list with commas. */
function words(env: Environment, name: string): string[] {
  return (env[name] ?? '')
    .split(',')
    .map(word => word.trim())
    .filter(word => word !== '');
}

function modelKey(env: Environment): Config['modelKey'] {
  if (env['ANTHROPIC_API_KEY']) {
    return { kind: 'apiKey', value: env['ANTHROPIC_API_KEY'] };
  }
  return env['ANTHROPIC_AUTH_TOKEN'] ? { kind: 'authToken', value: env['ANTHROPIC_AUTH_TOKEN'] } : undefined;
}

function integer(env: Environment, name: string, fallback: number, max: number, problems: string[]): number {
  const text = env[name];
  if (text === undefined) {
    return fallback;
  }
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < 0 || value > max) {
    problems.push(`${name} must be a whole number from 0 to ${max}, not "${text}"`);
  }
  return value;
}

function retention(env: Environment, problems: string[]): Retention {
  const days = (name: string, fallback: number) => amount(env, name, fallback, 3650, problems) * 86_400_000;
  const megabytes = (name: string, fallback: number) => amount(env, name, fallback, 1e9, problems) * 1_000_000;
  return {
    deletedMs: days('SANDPIPER_KEEP_DELETED_DAYS', 30) || 36_500 * 86_400_000,
    archiveMaxBytes: megabytes('SANDPIPER_ARCHIVE_MAX_MB', 1000) || Number.MAX_SAFE_INTEGER,
    sandboxIdleMs: days('SANDPIPER_SANDBOX_IDLE_DAYS', 14),
    sandboxMaxAgeMs: days('SANDPIPER_SANDBOX_MAX_DAYS', 0),
    agentMaxAgeMs: days('SANDPIPER_AGENT_MAX_DAYS', 7),
    mirrorIdleMs: days('SANDPIPER_MIRROR_IDLE_DAYS', 30),
    sessionMaxBytes: megabytes('SANDPIPER_SESSION_MAX_MB', 2000),
    dataMaxBytes: megabytes('SANDPIPER_DATA_MAX_MB', 0),
    gcIntervalMs: amount(env, 'SANDPIPER_GC_MINUTES', 60, 30_000, problems) * 60_000,
    gcGraceMs: amount(env, 'SANDPIPER_GC_GRACE_MINUTES', 60, 30_000, problems) * 60_000,
  };
}

/** Fractions are allowed. */
function amount(env: Environment, name: string, fallback: number, max: number, problems: string[]): number {
  const text = env[name] ?? String(fallback);
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= max)) {
    problems.push(`${name} must be a number from 0 to ${max}, not "${text}"`);
  }
  return value;
}

function leaseMs(env: Environment, problems: string[]): number {
  const value = integer({ SANDPIPER_LEASE_MS: '10000', ...env }, 'SANDPIPER_LEASE_MS', 0, 600_000, problems);
  if (value < MIN_LEASE_MS) {
    problems.push(`SANDPIPER_LEASE_MS must be at least ${MIN_LEASE_MS}, not ${value}`);
  }
  return value;
}

function idleMs(env: Environment, problems: string[]): number {
  const text = env['SANDPIPER_IDLE_MINUTES'] ?? '30';
  const minutes = Number(text);
  if (text.trim() === '' || !(minutes >= 0 && minutes <= MAX_IDLE_MINUTES)) {
    problems.push(`SANDPIPER_IDLE_MINUTES must be a number from 0 to ${MAX_IDLE_MINUTES}, not "${text}"`);
  }
  return minutes * 60_000;
}

/** A length of time in seconds, as milliseconds. */
function seconds(env: Environment, name: string, fallback: number, problems: string[]): number {
  const text = env[name] ?? String(fallback);
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value <= MAX_SECONDS)) {
    problems.push(`${name} must be a number above 0 and up to ${MAX_SECONDS}, not "${text}"`);
  }
  return value * 1000;
}

function logLevel(env: Environment, problems: string[]): LogLevel {
  const text = env['SANDPIPER_LOG'] ?? 'info';
  if (text === 'debug' || text === 'info' || text === 'warn' || text === 'error') {
    return text;
  }
  problems.push(`SANDPIPER_LOG must be debug, info, warn or error, not "${text}"`);
  return 'info';
}

function url(env: Environment, name: string, fallback: string, problems: string[]): string {
  const text = env[name] ?? fallback;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    problems.push(`${name} must be an http(s) URL, not "${text}"`);
  }
  return text.replace(/\/+$/, '');
}

function docker(env: Environment, problems: string[]): DockerConfig {
  return {
    engine: {
      host: env['DOCKER_HOST'],
      certPath: env['DOCKER_CERT_PATH'],
      runtimeFolder: env['XDG_RUNTIME_DIR'],
      home: homedir(),
    },
    image: env['SANDPIPER_DOCKER_IMAGE'] ?? 'sandpiper-agent:latest',
    limits: {
      memoryMb: amount(env, 'SANDPIPER_SANDBOX_MEMORY_MB', 8192, 1e7, problems),
      cpus: amount(env, 'SANDPIPER_SANDBOX_CPUS', 0, 1024, problems),
      processes: amount(env, 'SANDPIPER_SANDBOX_PROCESSES', 4096, 1e6, problems),
    },
    network: env['SANDPIPER_DOCKER_NETWORK'],
  };
}

function gatewayAddress(env: Environment, problems: string[]): Config['gateway'] {
  const port = integer(env, 'SANDPIPER_GATEWAY_PORT', 0, 65535, problems);
  if (env['SANDPIPER_PUBLIC_URL'] === undefined) {
    return undefined;
  }
  if (port === 0) {
    problems.push('SANDPIPER_PUBLIC_URL needs SANDPIPER_GATEWAY_PORT, the port that it leads to');
  }
  const publicUrl = url(env, 'SANDPIPER_PUBLIC_URL', '', problems);
  return { publicUrl, host: env['SANDPIPER_GATEWAY_HOST'] ?? '127.0.0.1', port };
}
