import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, dirname, posix } from 'node:path';
import { bodyOf, errnoOf, sendFile, sendJson, textField } from './httpParts.ts';

const HOME = process.env['HOME'] ?? '/home/user';

/** `GET /files` and `POST /files`. */
export async function serveE2bFiles(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const path = absolute(url.searchParams.get('path') ?? '');
  if (request.method === 'GET') {
    if (!existsSync(path)) {
      sendJson(response, 404, { code: 404, message: `path '${path}' does not exist` });
    } else if (!statSync(path).isFile()) {
      sendJson(response, 400, { code: 400, message: `path '${path}' is not a regular file` });
    } else {
      sendFile(request, response, path);
    }
    return;
  }
  const type = request.headers['content-type'] ?? '';
  const body = await bodyOf(request);
  try {
    if (type.startsWith('application/octet-stream')) {
      sendJson(response, 200, [write(path, body)]);
      return;
    }
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
    const written = [];
    for (const file of form.getAll('file')) {
      if (typeof file !== 'string') {
        const target = url.searchParams.get('path') === null ? absolute(file.name) : path;
        written.push(write(target, Buffer.from(await file.arrayBuffer())));
      }
    }
    sendJson(response, 200, written);
  } catch (error) {
    const full = errnoOf(error) === 'ENOSPC';
    sendJson(response, full ? 507 : 500, { code: full ? 507 : 500, message: String(error) });
  }
}

function write(path: string, bytes: Buffer): { name: string; type: string; path: string } {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return { name: basename(path), type: 'file', path };
}

/** The calls of `filesystem.Filesystem` that are unary; undefined for others. */
export function e2bFilesystemCall(call: string, input: unknown): { status: number; body: unknown } | undefined {
  const path = absolute(textField(input, 'path') ?? '');
  try {
    switch (call) {
      case 'Stat':
        return { status: 200, body: { entry: entry(path) } };
      case 'ListDir':
        return { status: 200, body: { entries: readdirSync(path).map(name => entry(posix.join(path, name))) } };
      case 'MakeDir':
        if (existsSync(path)) {
          return { status: 409, body: { code: 'already_exists', message: 'directory already exists' } };
        }
        mkdirSync(path, { recursive: true });
        return { status: 200, body: { entry: entry(path) } };
      case 'Move': {
        const to = absolute(textField(input, 'destination') ?? '');
        mkdirSync(dirname(to), { recursive: true });
        renameSync(absolute(textField(input, 'source') ?? ''), to);
        return { status: 200, body: { entry: entry(to) } };
      }
      case 'Remove':
        rmSync(path, { recursive: true, force: true });
        return { status: 200, body: {} };
      default:
        return undefined;
    }
  } catch (error) {
    const missing = errnoOf(error) === 'ENOENT';
    const body = { code: missing ? 'not_found' : 'internal', message: String(error) };
    return { status: missing ? 404 : 500, body };
  }
}

function entry(path: string): Record<string, unknown> {
  const found = lstatSync(path);
  const kind = found.isDirectory() ? 'DIRECTORY' : found.isSymbolicLink() ? 'SYMLINK' : 'FILE';
  return {
    name: basename(path),
    type: `FILE_TYPE_${kind}`,
    path,
    size: String(found.size),
    mode: found.mode & 0o7777,
    permissions: '-rw-r--r--',
    owner: 'user',
    group: 'user',
    modifiedTime: found.mtime.toISOString(),
  };
}

function absolute(path: string): string {
  return posix.isAbsolute(path) ? posix.normalize(path) : posix.join(HOME, path);
}
