import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { serveGit } from '../github/gitHttpBackend.ts';
import { GithubFaults, type FaultOptions, type GithubFault } from '../github/githubFaults.ts';
import { makeBareRepository, type RepositoryOptions } from '../github/githubRepositories.ts';
import { EmulatedTalk } from './emulatedTalk.ts';
import type { Dialect, EmulatedOperation, EmulatedPull, EmulatedReply, EmulatedRepository } from './dialect.ts';

export interface EmulatedRequest {
  method: string;
  path: string;
  /** Of the forge's description; absent for git. */
  operation?: string;
  /** 0 when the connection was cut. */
  status: number;
}

/** A forge of one's own: REST as its description has it, git over smart HTTP, faults on demand. */
export interface EmulatedForge {
  url: string;
  host: string;
  apiUrl: string;
  /** May do everything. */
  token: string;
  /** May read only. */
  readToken: string;
  createRepository(
    owner: string,
    name: string,
    options?: RepositoryOptions,
  ): Promise<{ cloneUrl: string; bareFolder: string }>;
  /** Of every repository, oldest first. */
  pullRequests(): (EmulatedPull & { repository: string; draft: boolean })[];
  /** A repository with all that people did in it. */
  repository(name: string): EmulatedRepository;
  /** Ends a pull request as a person would. */
  end(repository: string, number: number, how: 'merged' | 'closed'): void;
  /** Adds open pull requests of others. */
  addPulls(repository: string, pulls: readonly Pick<EmulatedPull, 'branch' | 'baseBranch' | 'fork'>[]): void;
  requests(): readonly EmulatedRequest[];
  /** Where a request or the emulator's own answer did not match the description. */
  violations(): readonly string[];
  fault(kind: GithubFault, options?: FaultOptions): void;
  close(): Promise<void>;
}

/** All that one emulated forge knows and has seen. */
interface World {
  dialect: Dialect;
  root: string;
  origin: string;
  token: string;
  readToken: string;
  repositories: EmulatedRepository[];
  requests: EmulatedRequest[];
  violations: string[];
  faults: GithubFaults;
}

export async function startEmulatedForge(dialect: Dialect): Promise<EmulatedForge> {
  const root = await mkdtemp(join(tmpdir(), 'sandpiper-forge-'));
  const world: World = {
    dialect,
    root,
    origin: '',
    token: randomBytes(20).toString('hex'),
    readToken: randomBytes(20).toString('hex'),
    repositories: [],
    requests: [],
    violations: [],
    faults: new GithubFaults(dialect.creation),
  };
  const server = createServer((request, response) => void answer(world, request, response));
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  } catch (error) {
    await rm(root, { recursive: true, force: true });
    throw error;
  }
  const address = server.address();
  const host = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  world.origin = `http://${host}`;
  return {
    url: world.origin,
    host,
    apiUrl: `${world.origin}${dialect.apiPath}`,
    token: world.token,
    readToken: world.readToken,
    async createRepository(owner, name, options = {}) {
      const made = await makeBareRepository(root, { owner, name }, options);
      const id = world.repositories.length + 1;
      world.repositories.push({ id, owner, name, ...made, pulls: [], talk: new EmulatedTalk(), draftsKnown: true });
      return { cloneUrl: `${world.origin}/${owner}/${name}.git`, bareFolder: made.bareFolder };
    },
    pullRequests: () =>
      world.repositories.flatMap(({ name, pulls, draftsKnown }) =>
        pulls.map(pull => ({ ...pull, repository: name, draft: draftsKnown && dialect.isDraft(pull.title) })),
      ),
    repository(name) {
      const found = world.repositories.find(one => one.name === name);
      if (!found) {
        throw new Error(`There is no repository ${name}.`);
      }
      return found;
    },
    end(repository, number, how) {
      const pull = world.repositories.find(one => one.name === repository)?.pulls.find(one => one.number === number);
      Object.assign(pull ?? {}, { state: 'closed', merged: how === 'merged' });
    },
    addPulls(repository, pulls) {
      const all = world.repositories.find(one => one.name === repository)?.pulls ?? [];
      const now = new Date().toISOString();
      for (const pull of pulls) {
        const texts = { title: 'Another', body: '', createdAt: now, updatedAt: now };
        all.push({ ...texts, ...pull, number: all.length + 1, state: 'open', merged: false });
      }
    },
    requests: () => world.requests,
    violations: () => world.violations,
    fault: (kind, options) => world.faults.add(kind, options),
    async close() {
      server.closeAllConnections();
      await new Promise<void>(resolve => server.close(() => resolve()));
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function answer(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', world.origin);
  const entry: EmulatedRequest = { method: request.method ?? 'GET', path: url.pathname, status: 0 };
  world.requests.push(entry);
  response.on('finish', () => (entry.status = response.statusCode));
  try {
    if (url.pathname.startsWith(`${world.dialect.apiPath}/`)) {
      const reply = await restReply(world, entry, url, request);
      if (reply) {
        response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
        response.end(JSON.stringify(reply.body));
      } else {
        response.destroy();
      }
    } else if (url.pathname.includes('.git/')) {
      await answerGit(world, url, request, response);
    } else {
      response.writeHead(404).end();
    }
  } catch (error) {
    world.violations.push(`the emulator failed: ${String(error)}`);
    response.destroy();
  }
}

/** Undefined means to cut the connection. */
async function restReply(
  world: World,
  entry: EmulatedRequest,
  url: URL,
  request: IncomingMessage,
): Promise<EmulatedReply | undefined> {
  const { dialect, faults, violations } = world;
  const sent = await text(request);
  const path = url.pathname.slice(dialect.apiPath.length);
  const asked = dialect.operations.find(one => one.method === entry.method && one.path.test(path));
  if (!asked) {
    violations.push(`there is no ${entry.method} ${path}`);
    return dialect.refusals.notFound;
  }
  entry.operation = asked.id;
  if (faults.take(asked.id, ['socketCut'])) {
    return undefined;
  }
  const reply =
    refusal(world, asked, dialect.tokenOf(request)) ??
    (await carryOut(world, asked, { path, query: url.searchParams, sent, type: request.headers['content-type'] }));
  const lost =
    reply.status < 300 ? faults.take(asked.id, ['badGatewayAfterEffect', 'socketCutAfterEffect']) : undefined;
  if (lost === 'socketCutAfterEffect') {
    return undefined;
  }
  return lost ? BAD_GATEWAY : reply;
}

const BAD_GATEWAY: EmulatedReply = { status: 502, body: 'Bad Gateway' };

/** What is refused before the repository is looked at. */
function refusal(
  { dialect, faults, token: full, readToken }: World,
  asked: EmulatedOperation,
  token: string,
): EmulatedReply | undefined {
  const fault = faults.take(asked.id, ['badGateway', 'unauthorized', 'rateLimit']);
  if (fault === 'badGateway') {
    return BAD_GATEWAY;
  }
  if (fault === 'rateLimit') {
    return dialect.refusals.rateLimit;
  }
  if (fault === 'unauthorized' || (token !== full && token !== readToken)) {
    return dialect.refusals.unauthorized;
  }
  return asked.writes && token === readToken ? dialect.refusals.forbidden : undefined;
}

async function carryOut(
  { dialect, origin, repositories, faults, violations }: World,
  asked: EmulatedOperation,
  { path, query, sent, type }: { path: string; query: URLSearchParams; sent: string; type: string | undefined },
): Promise<EmulatedReply> {
  const values = Object.fromEntries(
    Object.entries(asked.path.exec(path)?.groups ?? {}).map(([name, part]) => [name, decodeURIComponent(part)]),
  );
  const repository = repositories.find(({ owner, name }) => `${owner}/${name}` === values['repository']);
  if (!repository) {
    return dialect.refusals.notFound;
  }
  const accepted =
    sent !== '' && type !== 'application/json'
      ? { problems: [`${asked.id}: the body is ${type}`] }
      : asked.accept(Object.fromEntries(query), sent === '' ? undefined : JSON.parse(sent));
  if ('problems' in accepted) {
    violations.push(...accepted.problems.map(problem => `request: ${problem}`));
    return dialect.refusals.invalid;
  }
  const takeNoDrafts = () => faults.take(asked.id, ['draftUnsupported']) !== undefined;
  const reply = await accepted.act({ origin, repository, values, takeNoDrafts });
  const checked = reply.status < 300 ? asked.reply.safeParse(reply.body) : undefined;
  if (checked?.error) {
    violations.push(`reply: ${asked.id}: ${checked.error.message}`);
  }
  return reply;
}

async function answerGit(
  { root, token: full, readToken, repositories }: World,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, value = ''] = /^Basic (\S+)$/.exec(request.headers.authorization ?? '') ?? [];
  const [user, token] = Buffer.from(value, 'base64').toString().split(':');
  const isWrite = url.href.includes('git-receive-pack');
  const [, path = ''] = /^\/(.+)\.git\//.exec(url.pathname) ?? [];
  if (user !== 'oauth2' || (token !== full && token !== readToken)) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="A forge"' }).end('HTTP Basic: Access denied');
  } else if (!repositories.some(({ owner, name }) => `${owner}/${name}` === path)) {
    response.writeHead(404).end('Not found');
  } else if (isWrite && token === readToken) {
    response.writeHead(403).end('You are not allowed to push code to this project.');
  } else {
    await serveGit(request, response, { root, path: url.pathname, query: url.search.slice(1), user: 'oauth2' });
  }
}
