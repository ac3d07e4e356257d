import type { components } from 'e2b';
import { z } from 'zod';

/*
 * What a client of E2B may send, checked on every request, so that a provider that leans on something the vendor does not
 * document fails here. The control plane's shapes are held to the types that the SDK was generated from; envd's to its
 * .proto files.
 */

type Schemas = components['schemas'];

const metadata = z.record(z.string(), z.string());

export const newSandboxSchema = z.strictObject({
  templateID: z.string().min(1),
  timeout: z.int().positive().exactOptional(),
  metadata: metadata.exactOptional(),
  envVars: metadata.exactOptional(),
  autoPause: z.boolean().exactOptional(),
  allow_internet_access: z.boolean().exactOptional(),
  network: z
    .strictObject({ allowOut: z.array(z.string()).exactOptional(), denyOut: z.array(z.string()).exactOptional() })
    .exactOptional(),
}) satisfies z.ZodType<Schemas['NewSandboxV2']>;

export const connectSchema = z.strictObject({
  timeout: z.int().positive().exactOptional(),
  memory: z.boolean().exactOptional(),
}) satisfies z.ZodType<Schemas['ConnectSandboxV2']>;

export const timeoutSchema = z.strictObject({ timeout: z.int().positive() });
export const pauseSchema = z.strictObject({ memory: z.boolean().exactOptional() });

export type Created = Schemas['Sandbox'];
export type Listed = Schemas['ListedSandbox'];
export type Detail = Schemas['SandboxDetail'];
export type ApiError = Schemas['Error'];

const selector = z.union([z.strictObject({ pid: z.int() }), z.strictObject({ tag: z.string() })]);
const path = z.strictObject({ path: z.string() });

/** Requests of envd's Connect services as JSON, from process.proto and filesystem.proto. */
export const envdRequests: Readonly<Record<string, z.ZodType>> = {
  '/process.Process/Start': z.strictObject({
    process: z.strictObject({
      cmd: z.string(),
      args: z.array(z.string()).exactOptional(),
      envs: metadata.exactOptional(),
      cwd: z.string().exactOptional(),
    }),
    tag: z.string().exactOptional(),
    stdin: z.boolean().exactOptional(),
  }),
  '/process.Process/Connect': z.strictObject({ process: selector }),
  '/process.Process/List': z.strictObject({}),
  '/process.Process/SendInput': z.strictObject({ process: selector, input: z.strictObject({ stdin: z.string() }) }),
  '/process.Process/CloseStdin': z.strictObject({ process: selector }),
  '/process.Process/SendSignal': z.strictObject({
    process: selector,
    signal: z.enum(['SIGNAL_SIGTERM', 'SIGNAL_SIGKILL']),
  }),
  '/filesystem.Filesystem/Stat': path,
  '/filesystem.Filesystem/ListDir': z.strictObject({ path: z.string(), depth: z.int().exactOptional() }),
  '/filesystem.Filesystem/MakeDir': path,
  '/filesystem.Filesystem/Move': z.strictObject({ source: z.string(), destination: z.string() }),
  '/filesystem.Filesystem/Remove': path,
};

const entry = z.strictObject({
  name: z.string(),
  type: z.enum(['FILE_TYPE_FILE', 'FILE_TYPE_DIRECTORY', 'FILE_TYPE_SYMLINK']),
  path: z.string(),
  size: z.string(),
  mode: z.int(),
  permissions: z.string(),
  owner: z.string(),
  group: z.string(),
  modifiedTime: z.string(),
});
const event = z.strictObject({
  event: z.union([
    z.strictObject({ start: z.strictObject({ pid: z.int() }) }),
    z.strictObject({ data: z.union([z.strictObject({ stdout: z.string() }), z.strictObject({ stderr: z.string() })]) }),
    z.strictObject({
      end: z.strictObject({
        exitCode: z.int(),
        exited: z.boolean(),
        status: z.string(),
        error: z.string().exactOptional(),
      }),
    }),
    z.strictObject({ keepalive: z.strictObject({}) }),
  ]),
});

/** Answers of envd: whole ones, and each message of a stream. Absent: an empty object. */
export const envdAnswers: Readonly<Record<string, z.ZodType>> = {
  '/process.Process/Start': event,
  '/process.Process/Connect': event,
  '/process.Process/List': z.strictObject({
    processes: z.array(z.strictObject({ config: z.looseObject({ cmd: z.string() }), pid: z.int() })),
  }),
  '/filesystem.Filesystem/Stat': z.strictObject({ entry }),
  '/filesystem.Filesystem/ListDir': z.strictObject({ entries: z.array(entry) }),
  '/filesystem.Filesystem/MakeDir': z.strictObject({ entry }),
  '/filesystem.Filesystem/Move': z.strictObject({ entry }),
};

/** The messages of a Connect stream that has ended well or been cut: JSON bodies with their flags. */
export function envelopesOf(stream: Buffer): { flags: number; body: unknown }[] {
  const found = [];
  for (let at = 0; at + 5 <= stream.length;) {
    const length = stream.readUInt32BE(at + 1);
    const end = at + 5 + length;
    if (end > stream.length) {
      break;
    }
    found.push({ flags: stream[at] ?? 0, body: JSON.parse(stream.subarray(at + 5, end).toString()) as unknown });
    at = end;
  }
  return found;
}
