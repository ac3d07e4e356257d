import { createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { errorReply, type GithubReply } from './githubReply.ts';
import { userObject, type GithubRepository } from './githubObjects.ts';

type Level = 'read' | 'write';

interface Minted {
  repository: string;
  permissions: Record<string, Level>;
  endsAt: number;
}

const HOUR_MS = 3600_000;

/** A GitHub App: whose key may make tokens, where it is installed, and what those tokens may. */
export class GithubInstallations {
  readonly appId = 4711;
  /** PKCS#1, as GitHub gives it. */
  readonly privateKey: string;
  /** What whoever installed it agreed to. */
  readonly granted: Record<string, Level> = {
    contents: 'write',
    pull_requests: 'write',
    issues: 'write',
    checks: 'read',
    actions: 'read',
    metadata: 'read',
  };
  /** `owner/name`, lower case. */
  readonly installedOn = new Set<string>();
  readonly minted = new Map<string, Minted>();
  readonly #publicKey: ReturnType<typeof createPublicKey>;

  constructor() {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.privateKey = pair.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    this.#publicKey = createPublicKey(pair.publicKey.export({ type: 'spki', format: 'pem' }));
  }

  install({ owner, name }: Pick<GithubRepository, 'owner' | 'name'>): void {
    this.installedOn.add(`${owner}/${name}`.toLowerCase());
  }

  /** Takes it away; every token of it is worth nothing from then on. */
  uninstall({ owner, name }: Pick<GithubRepository, 'owner' | 'name'>): void {
    const repository = `${owner}/${name}`.toLowerCase();
    this.installedOn.delete(repository);
    for (const [token, minted] of this.minted) {
      if (minted.repository === repository) {
        this.minted.delete(token);
      }
    }
  }

  /** Why a token may not do something in a repository; undefined when it may. */
  refusal(token: string, repository: string, needs: Record<string, Level>): 'unknown' | 'forbidden' | undefined {
    const minted = this.minted.get(token);
    if (!minted || minted.endsAt < Date.now()) {
      return 'unknown';
    }
    const may = Object.entries(needs).every(
      ([name, level]) => minted.permissions[name] === level || minted.permissions[name] === 'write',
    );
    return may && minted.repository === repository.toLowerCase() ? undefined : 'forbidden';
  }

  /** The operations that an App's own JWT is for; undefined for all others. */
  answer(
    operation: string,
    { values, body, jwt, origin }: { values: Record<string, string>; body: string; jwt: string; origin: string },
  ): GithubReply | undefined {
    if (operation !== 'apps/get-repo-installation' && operation !== 'apps/create-installation-access-token') {
      return undefined;
    }
    if (!this.#isSigned(jwt)) {
      return errorReply(401, 'A JSON web token could not be decoded');
    }
    if (operation === 'apps/get-repo-installation') {
      const repository = `${values['owner']}/${values['repo']}`.toLowerCase();
      return this.installedOn.has(repository)
        ? { status: 200, body: this.#installation(values['owner'] ?? '', origin) }
        : errorReply(404, 'Not Found');
    }
    return this.#mint(JSON.parse(body === '' ? '{}' : body));
  }

  #mint({
    repositories = [],
    permissions = this.granted,
  }: {
    repositories?: string[];
    permissions?: Minted['permissions'];
  }): GithubReply {
    const [name, ...others] = repositories;
    const repository = [...this.installedOn].find(one => one.endsWith(`/${(name ?? '').toLowerCase()}`));
    if (repository === undefined || others.length > 0) {
      return errorReply(422, 'There is at least one repository that does not exist or is not accessible');
    }
    const lacking = Object.entries(permissions).some(
      ([each, level]) => this.granted[each] !== level && this.granted[each] !== 'write',
    );
    if (lacking) {
      return errorReply(422, 'The permissions requested are not granted to this installation.');
    }
    const token = `ghs_${randomBytes(18).toString('hex')}`;
    const endsAt = Date.now() + HOUR_MS;
    this.minted.set(token, { repository, permissions: { ...permissions, metadata: 'read' }, endsAt });
    const expiresAt = new Date(endsAt).toISOString().replace(/\.\d+Z$/, 'Z');
    return { status: 201, body: { token, expires_at: expiresAt, permissions, repository_selection: 'selected' } };
  }

  #isSigned(jwt: string): boolean {
    const [head = '', payload = '', signature = ''] = jwt.split('.');
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString() || '{}');
    const isOurs =
      typeof claims === 'object' && claims !== null && 'iss' in claims && Number(claims.iss) === this.appId;
    const data = Buffer.from(`${head}.${payload}`);
    return isOurs && verify('sha256', data, this.#publicKey, Buffer.from(signature, 'base64url'));
  }

  #installation(owner: string, origin: string): object {
    const api = `${origin}/api/v3`;
    return {
      id: 1,
      account: userObject(origin, owner),
      repository_selection: 'selected',
      access_tokens_url: `${api}/app/installations/1/access_tokens`,
      repositories_url: `${api}/installation/repositories`,
      html_url: `${origin}/settings/installations/1`,
      app_id: this.appId,
      app_slug: 'sandpiper',
      target_id: 1,
      target_type: 'Organization',
      permissions: this.granted,
      events: [],
      created_at: '2026-01-01T00:00:00Z',
      updated_at: '2026-01-01T00:00:00Z',
      single_file_name: null,
      suspended_by: null,
      suspended_at: null,
    };
  }
}
