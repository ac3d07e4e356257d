/** The vendors that sandboxes may be had from, as far as this relay has a key for them. */
export interface VendorConfig {
  e2b: { apiKey: string; apiUrl: string | undefined; sandboxUrl: string | undefined; template: string } | undefined;
  daytona: { apiKey: string; apiUrl: string; target: string; snapshot: string | undefined } | undefined;
  /** `off`: their sandboxes reach this relay and nothing else. */
  network: 'off' | 'open';
  kubernetes: KubernetesConfig | undefined;
}

export interface KubernetesConfig {
  /** A file, `default` or `in-cluster`. */
  kubeconfig: string;
  context: string | undefined;
  namespace: string | undefined;
  image: string;
  limits: { cpus: number; memoryMb: number; diskMb: number };
  maxSeconds: number;
  startTimeoutMs: number;
  runtimeClass: string | undefined;
  pullSecret: string | undefined;
  /** `theirs`: whoever runs the cluster sees to the network of its pods. */
  policy: 'make' | 'theirs';
  /** Labels of the relay's own pods, where it runs in the cluster. */
  relayPods: Record<string, string> | undefined;
}

const DAYTONA_URL = 'https://app.daytona.io/api';

/** Adds what is wrong to `problems`. */
export function readVendorConfig(env: Readonly<Record<string, string | undefined>>, problems: string[]): VendorConfig {
  const url = (name: string): string | undefined => {
    const text = env[name];
    if (text !== undefined && !(URL.canParse(text) && /^https?:$/.test(new URL(text).protocol))) {
      problems.push(`${name} must be an http(s) URL, not "${text}"`);
    }
    return text?.replace(/\/+$/, '');
  };
  const network = env['SANDPIPER_VENDOR_NETWORK'] ?? 'off';
  if (network !== 'off' && network !== 'open') {
    problems.push(`SANDPIPER_VENDOR_NETWORK must be off or open, not "${network}"`);
  }
  const e2bKey = env['SANDPIPER_E2B_API_KEY'];
  const daytonaKey = env['SANDPIPER_DAYTONA_API_KEY'];
  const e2bUrls = { apiUrl: url('SANDPIPER_E2B_API_URL'), sandboxUrl: url('SANDPIPER_E2B_SANDBOX_URL') };
  const apiUrl = url('SANDPIPER_DAYTONA_API_URL') ?? DAYTONA_URL;
  const target = env['SANDPIPER_DAYTONA_TARGET'] ?? 'us';
  return {
    e2b:
      e2bKey === undefined
        ? undefined
        : { apiKey: e2bKey, ...e2bUrls, template: env['SANDPIPER_E2B_TEMPLATE'] ?? 'claude' },
    daytona:
      daytonaKey === undefined
        ? undefined
        : { apiKey: daytonaKey, apiUrl, target, snapshot: env['SANDPIPER_DAYTONA_SNAPSHOT'] },
    network: network === 'open' ? 'open' : 'off',
    kubernetes: readKubernetes(env, problems),
  };
}

function readKubernetes(
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): KubernetesConfig | undefined {
  const kubeconfig = env['SANDPIPER_KUBECONFIG'];
  if (kubeconfig === undefined) {
    return undefined;
  }
  const amount = (name: string, fallback: number): number => {
    const value = Number(env[name] ?? fallback);
    if (!(value > 0 && value <= 1e7)) {
      problems.push(`${name} must be a number above 0, not "${env[name]}"`);
    }
    return value;
  };
  const image = env['SANDPIPER_KUBERNETES_IMAGE'];
  if (image === undefined) {
    problems.push('SANDPIPER_KUBECONFIG needs SANDPIPER_KUBERNETES_IMAGE, the image of its pods');
  }
  const policy = env['SANDPIPER_KUBERNETES_POLICY'] ?? 'make';
  if (policy !== 'make' && policy !== 'theirs') {
    problems.push(`SANDPIPER_KUBERNETES_POLICY must be make or theirs, not "${policy}"`);
  }
  return {
    kubeconfig,
    context: env['SANDPIPER_KUBERNETES_CONTEXT'],
    namespace: env['SANDPIPER_KUBERNETES_NAMESPACE'],
    image: image ?? '',
    limits: {
      cpus: amount('SANDPIPER_KUBERNETES_CPUS', 2),
      memoryMb: amount('SANDPIPER_KUBERNETES_MEMORY_MB', 4096),
      diskMb: amount('SANDPIPER_KUBERNETES_DISK_MB', 10_240),
    },
    maxSeconds: Math.ceil(amount('SANDPIPER_KUBERNETES_MAX_HOURS', 168) * 3600),
    startTimeoutMs: amount('SANDPIPER_KUBERNETES_START_SECONDS', 180) * 1000,
    runtimeClass: env['SANDPIPER_KUBERNETES_RUNTIME_CLASS'],
    pullSecret: env['SANDPIPER_KUBERNETES_PULL_SECRET'],
    policy: policy === 'theirs' ? 'theirs' : 'make',
    relayPods: labels('SANDPIPER_KUBERNETES_RELAY_PODS', env, problems),
  };
}

/** `name=value,name=value` */
function labels(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): Record<string, string> | undefined {
  const text = env[name];
  if (text === undefined) {
    return undefined;
  }
  const pairs = text.split(',').map(pair => pair.trim().split('='));
  if (pairs.some(pair => pair.length !== 2 || pair.includes(''))) {
    problems.push(`${name} must be labels like app=sandpiper, with commas, not "${text}"`);
  }
  return Object.fromEntries(pairs.map(([label = '', value = '']) => [label, value]));
}
