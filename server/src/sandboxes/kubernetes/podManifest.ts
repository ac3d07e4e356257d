import type { V1EnvVar, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import { IDLE_PROGRAM } from '../remote/idleProgram.ts';

/** On everything that a relay makes in a cluster. */
export const LABEL = {
  /** Of which relay (its data folder): never touched by another. */
  relay: 'sandpiper.dev/relay',
  session: 'sandpiper.dev/session',
} as const;

export const CONTAINER = 'sandbox';
/** Below it is all that a sandbox keeps. */
export const ROOT = '/sandpiper';
/** Holds the pod's uid inside, so that a run never lands in another pod of the same name. */
export const POD_VARIABLE = 'SANDPIPER_POD';
/** Of the agent image; any other user is refused nothing, but knows no name. */
const USER = 1000;

export interface PodLimits {
  cpus: number;
  memoryMb: number;
  diskMb: number;
}

export interface PodPlan {
  name: string;
  labels: Readonly<Record<string, string>>;
  image: string;
  limits: PodLimits;
  /** Kubernetes ends the pod after so long. */
  maxSeconds: number;
  runtimeClass: string | undefined;
  pullSecret: string | undefined;
  /** Names that the pod knows, with their addresses, and no others; `all`: what the cluster's name server knows. */
  hosts: readonly { name: string; addresses: readonly string[] }[] | 'all';
}

/** The pod of a sandbox. It meets the pod security standard `restricted`, and nothing on its disk is writable but two volumes. */
export function podManifest(plan: PodPlan): V1Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: plan.name, labels: { 'app.kubernetes.io/managed-by': 'sandpiper', ...plan.labels } },
    spec: {
      automountServiceAccountToken: false,
      // The addresses of all services of the namespace are nothing that an agent needs.
      enableServiceLinks: false,
      hostNetwork: false,
      hostPID: false,
      hostIPC: false,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      activeDeadlineSeconds: plan.maxSeconds,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: USER,
        runAsGroup: USER,
        fsGroup: USER,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [containerOf(plan)],
      volumes: [
        { name: 'work', emptyDir: { sizeLimit: `${plan.limits.diskMb}Mi` } },
        { name: 'tmp', emptyDir: { sizeLimit: `${plan.limits.diskMb}Mi` } },
      ],
      ...(plan.runtimeClass === undefined ? {} : { runtimeClassName: plan.runtimeClass }),
      ...(plan.pullSecret === undefined ? {} : { imagePullSecrets: [{ name: plan.pullSecret }] }),
      ...namesOf(plan),
    },
  };
}

function containerOf({ image, limits }: PodPlan): V1PodSpec['containers'][number] {
  const env: V1EnvVar[] = [
    { name: 'HOME', value: ROOT },
    { name: POD_VARIABLE, valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } },
  ];
  return {
    name: CONTAINER,
    image,
    imagePullPolicy: 'IfNotPresent',
    command: [...IDLE_PROGRAM],
    workingDir: '/',
    env,
    // Agents wait for the model most of the time: a node may hold more of them than could all work at once.
    resources: {
      limits: amounts(limits.cpus, limits.memoryMb, limits.diskMb),
      requests: amounts(limits.cpus / 4, limits.memoryMb / 2, limits.diskMb / 4),
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'work', mountPath: ROOT },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
}

function amounts(cpus: number, memoryMb: number, diskMb: number): Record<string, string> {
  return {
    cpu: `${Math.max(1, Math.round(cpus * 1000))}m`,
    memory: `${Math.ceil(memoryMb)}Mi`,
    'ephemeral-storage': `${Math.ceil(diskMb)}Mi`,
  };
}

/** Whoever may ask a name server for any name can tell it anything. */
function namesOf({ hosts }: PodPlan): Partial<V1PodSpec> {
  if (hosts === 'all') {
    return {};
  }
  const hostAliases = hosts.flatMap(({ name, addresses }) => addresses.map(ip => ({ ip, hostnames: [name] })));
  return {
    // One must be named; nothing listens there.
    dnsPolicy: 'None',
    dnsConfig: { nameservers: ['127.0.0.1'] },
    ...(hostAliases.length === 0 ? {} : { hostAliases }),
  };
}
