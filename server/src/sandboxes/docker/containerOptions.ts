import { createHash } from 'node:crypto';
import { INSIDE } from '../local/bubblewrap.ts';
import type { Mount } from '../provider.ts';
import { IDLE_PROGRAM } from '../remote/idleProgram.ts';

export const LABEL = {
  /** Of which relay (its data folder): never touched by another. */
  relay: 'dev.sandpiper.relay',
  sandbox: 'dev.sandpiper.sandbox',
  session: 'dev.sandpiper.session',
  createdAt: 'dev.sandpiper.createdAt',
  /** Of the options: a container that was made with others is made again. */
  options: 'dev.sandpiper.options',
} as const;

/** 0 means without limit. */
export interface ContainerLimits {
  memoryMb: number;
  cpus: number;
  processes: number;
}

export interface ContainerPlan {
  image: string;
  user: { uid: number; gid: number };
  labels: Readonly<Record<string, string>>;
  limits: ContainerLimits;
  /** The engine sees this machine's files: all that the sandbox writes lies in folders of the relay. */
  bound: { writable: readonly Mount[]; readOnly: readonly Mount[] } | undefined;
  /** Network to join; none when undefined. */
  network: string | undefined;
}

const TMPFS = 'rw,nosuid,nodev,exec,mode=1777';

/**
 * The container of a sandbox: an ordinary user without any power, and without a network but for an engine elsewhere. Pure.
 */
export function containerOptions(plan: ContainerPlan): { Labels: Record<string, string> } {
  const { limits, bound } = plan;
  const memory = limits.memoryMb * 1024 * 1024;
  const options = {
    Image: plan.image,
    Entrypoint: [...IDLE_PROGRAM],
    Cmd: [],
    User: `${plan.user.uid}:${plan.user.gid}`,
    WorkingDir: '/',
    Hostname: 'sandbox',
    Env: [`HOME=${INSIDE.home}`],
    StopSignal: 'SIGKILL',
    HostConfig: {
      NetworkMode: plan.network ?? 'none',
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      // What the sandbox writes elsewhere would be lost with the container, which is made anew when its mounts change.
      ReadonlyRootfs: bound !== undefined,
      Tmpfs: { '/tmp': TMPFS, '/run': TMPFS },
      Mounts: [
        ...(bound?.writable ?? []).map(mount => bind(mount, false)),
        ...(bound?.readOnly ?? []).map(mount => bind(mount, true)),
      ],
      IpcMode: 'private',
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'none' },
      ...(limits.processes > 0 ? { PidsLimit: limits.processes } : {}),
      ...(memory > 0 ? { Memory: memory, MemorySwap: memory } : {}),
      ...(limits.cpus > 0 ? { NanoCpus: Math.round(limits.cpus * 1e9) } : {}),
    },
  };
  const hash = createHash('sha256').update(JSON.stringify(options)).digest('hex').slice(0, 32);
  return { ...options, Labels: { ...plan.labels, [LABEL.options]: hash } };
}

function bind({ hostPath, path }: Mount, readOnly: boolean): object {
  return { Type: 'bind', Source: hostPath, Target: path, ReadOnly: readOnly, BindOptions: { Propagation: 'rprivate' } };
}
