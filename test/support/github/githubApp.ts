import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { plainGit } from '../plainGit.ts';
import { serveGit } from './gitHttpBackend.ts';
import { pullRequestPage } from './githubPage.ts';
import { GithubRest } from './githubRest.ts';
import type { GithubRequest, GithubWorld } from './githubWorld.ts';

const API = '/api/v3';
const SIGN_IN = ['/login/device/code', '/login/oauth/access_token'];

/** Answers the requests of one emulated GitHub, whose repositories lie under `root`. */
export function githubApp(
  world: GithubWorld,
  root: string,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const rest = new GithubRest(world);
  return async (request, response) => {
    const url = new URL(request.url ?? '/', world.origin);
    const entry: GithubRequest = { method: request.method ?? 'GET', path: decodeURIComponent(url.pathname), status: 0 };
    world.requests.push(entry);
    response.on('finish', () => (entry.status = response.statusCode));
    try {
      if (entry.path.startsWith(`${API}/`)) {
        await answerRest(rest, entry, url.searchParams, request, response);
      } else if (entry.method === 'POST' && SIGN_IN.includes(entry.path)) {
        await answerSignIn(world, url, request, response);
      } else if (entry.path.includes('.git/')) {
        await world.gitGate();
        await answerGit(world, root, url, request, response);
      } else {
        await answerPage(world, entry.path, response);
      }
    } catch (error) {
      world.violations.push(`the emulator failed: ${String(error)}`);
      response.destroy();
    }
  };
}

async function answerRest(
  rest: GithubRest,
  entry: GithubRequest,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  entry.apiVersion = String(request.headers['x-github-api-version'] ?? '');
  const body = await text(request);
  const reply = await rest.answer(entry, { path: entry.path.slice(API.length), query, body, token: tokenOf(request) });
  if (!reply) {
    response.destroy();
    return;
  }
  const json = JSON.stringify(reply.body);
  // Another token is another answer, as at GitHub.
  const etag = `W/"${createHash('sha256')
    .update(`${tokenOf(request)} ${json}`)
    .digest('hex')}"`;
  if (reply.status === 200 && request.headers['if-none-match'] === etag) {
    response.writeHead(304, { etag }).end();
    return;
  }
  response.writeHead(reply.status, { 'content-type': 'application/json; charset=utf-8', etag, ...reply.headers });
  response.end(json);
}

async function answerSignIn(
  { signIns, faults, violations, afterEffect }: GithubWorld,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const operation = url.pathname.slice(1);
  const asked = await text(request);
  const fault = faults.take(operation, ['socketCut', 'badGateway', 'silence', 'silenceAfterHeaders']);
  if (fault === 'silence') {
    return;
  }
  if (fault === 'silenceAfterHeaders') {
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).write('{');
    return;
  }
  if (fault === 'socketCut') {
    response.destroy();
    return;
  }
  if (fault === 'badGateway') {
    response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>');
    return;
  }
  const { status, body, problems } = signIns.answer(url.pathname, url.search, request.headers, asked);
  violations.push(...problems);
  await afterEffect(operation);
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}

async function answerGit(
  world: GithubWorld,
  root: string,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const token = tokenOf(request);
  const isWrite = url.href.includes('git-receive-pack');
  if (token === '') {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="GitHub"' }).end();
  } else if (!mayUseGit(world, token, url.pathname, isWrite)) {
    response.writeHead(403).end('Write access to repository not granted.');
  } else {
    const query = url.search.slice(1);
    await serveGit(request, response, { root, path: url.pathname, query, user: 'x-access-token' });
  }
}

function mayUseGit(
  { token: full, readToken, app, signIns }: GithubWorld,
  token: string,
  path: string,
  isWrite: boolean,
): boolean {
  const [, repository = ''] = /^\/([^/]+\/[^/]+)\.git\//.exec(path) ?? [];
  const ofApp = app.refusal(token, repository, { contents: isWrite ? 'write' : 'read' });
  return ofApp === undefined || token === full || signIns.isValid(token) || (!isWrite && token === readToken);
}

async function answerPage(world: GithubWorld, path: string, response: ServerResponse): Promise<void> {
  const [, repositoryName, job] = /^\/logs\/([^/]+)\/(\d+)$/.exec(path) ?? [];
  if (job !== undefined) {
    const found = world.repositories.find(one => one.name === repositoryName)?.talk.checks;
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(found?.find(({ id }) => id === Number(job))?.log);
    return;
  }
  const [, owner, name, number] = /^\/([^/]+)\/([^/]+)\/pull\/(\d+)$/.exec(path) ?? [];
  const repository = world.find(owner, name);
  const pull = repository?.pulls.find(one => one.number === Number(number));
  if (!repository || !pull) {
    response.writeHead(404).end();
    return;
  }
  const stat = await plainGit(repository.bareFolder, ['diff', '--stat', `${pull.base}...${pull.head}`]).catch(() => '');
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end(pullRequestPage(repository, pull, stat));
}

/** The token of `Authorization: token …`, `Bearer …` or `Basic base64(x-access-token:…)`; empty when there is none. */
function tokenOf(request: IncomingMessage): string {
  const [scheme = '', value = ''] = (request.headers.authorization ?? '').split(' ');
  if (scheme.toLowerCase() !== 'basic') {
    return value;
  }
  const [user, token = ''] = Buffer.from(value, 'base64').toString().split(':');
  return user === 'x-access-token' ? token : 'wrong user';
}
