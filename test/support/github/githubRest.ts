import { githubOperations } from './githubOperations.ts';
import { publicUserObject } from './githubObjects.ts';
import { errorReply, type GithubCall, type GithubReply } from './githubReply.ts';
import { githubSpec, type SpecOperation } from './githubSpec.ts';
import { API_USER } from './githubTalkOperations.ts';
import type { GithubRequest, GithubWorld } from './githubWorld.ts';

const LOST = ['badGatewayAfterEffect', 'socketCutAfterEffect'] as const;
const PERMISSIONS = { 'x-accepted-github-permissions': 'contents=write,pull_requests=write' };

/** The REST side of an emulated GitHub: checks each request and each answer against GitHub's description. */
export class GithubRest {
  readonly #world: GithubWorld;
  readonly #spec = githubSpec();

  constructor(world: GithubWorld) {
    this.#world = world;
  }

  /** The answer to a request whose path is below the API's address; undefined means to cut the connection. */
  async answer(
    entry: GithubRequest,
    request: { path: string; query: URLSearchParams; body: string; token: string },
  ): Promise<GithubReply | undefined> {
    const found = this.#spec.match(entry.method, request.path);
    if (!found) {
      return errorReply(404, 'Not Found');
    }
    const { operation, values } = found;
    entry.operation = operation.operationId;
    const { faults, violations } = this.#world;
    if (faults.take(operation.operationId, ['socketCut'])) {
      return undefined;
    }
    const reply =
      this.#ofApp(operation, values, request) ??
      this.#refusal(entry, request.token, values) ??
      (await this.#carryOut(operation, values, request));
    if (reply.status < 500) {
      const problems = this.#spec.checkReply(operation, reply.status, reply.body);
      violations.push(...problems.map(problem => `reply: ${problem}`));
    }
    await this.#world.afterEffect(operation.operationId);
    const lost = reply.status < 300 ? faults.take(operation.operationId, LOST) : undefined;
    if (lost === 'socketCutAfterEffect') {
      return undefined;
    }
    return lost ? errorReply(502, 'Bad Gateway') : reply;
  }

  /** What an App asks for with its own key. */
  #ofApp(
    operation: SpecOperation,
    values: Record<string, string>,
    { query, body, token }: { query: URLSearchParams; body: string; token: string },
  ): GithubReply | undefined {
    const { app, origin, violations } = this.#world;
    const reply = app.answer(operation.operationId, { values, body, jwt: token, origin });
    if (reply) {
      const problems = this.#spec.checkRequest(operation, query, body === '' ? undefined : JSON.parse(body));
      violations.push(...problems.map(problem => `request: ${problem}`));
    }
    return reply;
  }

  /** What is refused before the repository is looked at. */
  #refusal(
    { operation = '', method }: GithubRequest,
    token: string,
    values: Record<string, string>,
  ): GithubReply | undefined {
    const fault = this.#world.faults.take(operation, ['badGateway', 'unauthorized', 'rateLimit']);
    if (fault === 'badGateway') {
      return errorReply(502, 'Bad Gateway');
    }
    if (fault === 'rateLimit') {
      const reply = errorReply(403, 'You have exceeded a secondary rate limit. Please wait a few minutes.');
      return { ...reply, headers: { 'retry-after': '3' } };
    }
    const needs = neededBy(operation, method);
    const ofApp = this.#world.app.refusal(token, `${values['owner']}/${values['repo']}`, needs);
    if (ofApp === 'forbidden') {
      return errorReply(403, 'Resource not accessible by integration');
    }
    const { token: full, readToken, signIns } = this.#world;
    const isKnown = ofApp === undefined || token === full || token === readToken || signIns.isValid(token);
    return fault === 'unauthorized' || !isKnown ? errorReply(401, 'Bad credentials') : undefined;
  }

  async #carryOut(
    operation: SpecOperation,
    values: Record<string, string>,
    { query, body: sent, token }: { query: URLSearchParams; body: string; token: string },
  ): Promise<GithubReply> {
    const { origin, faults, violations, readToken } = this.#world;
    const id = operation.operationId;
    if (id === 'users/get-authenticated') {
      return { status: 200, body: publicUserObject(origin, API_USER) };
    }
    const act = githubOperations[id];
    const repository = this.#world.find(values['owner'], values['repo']);
    if (!act || !repository) {
      return act ? errorReply(404, 'Not Found') : errorReply(501, `The emulator does not know ${id}`);
    }
    if (!id.endsWith('/get') && !id.endsWith('/list') && token === readToken) {
      return { ...errorReply(403, 'Resource not accessible by personal access token'), headers: PERMISSIONS };
    }
    const body: GithubCall['body'] | undefined = sent === '' ? undefined : JSON.parse(sent);
    const problems = this.#spec.checkRequest(operation, query, body);
    if (problems.length > 0) {
      violations.push(...problems.map(problem => `request: ${problem}`));
      return errorReply(422, `Invalid request.\n\n${problems.join('\n')}`);
    }
    const draftsSupported = !(body?.draft === true && faults.take(id, ['draftUnsupported']));
    return act({ origin, repository, values, query, body: body ?? {}, draftsSupported });
  }
}

/** What an installation's token needs for an operation; a part of what GitHub's own table says. */
function neededBy(operation: string, method: string): Record<string, 'read' | 'write'> {
  const level = method === 'GET' ? 'read' : 'write';
  switch (operation.split('/')[0]) {
    case 'pulls':
      return { pull_requests: level };
    case 'issues':
      return { issues: level };
    case 'reactions':
      return {};
    case 'checks':
      return { checks: 'read' };
    case 'actions':
      return { actions: 'read' };
    default:
      return { metadata: 'read' };
  }
}
