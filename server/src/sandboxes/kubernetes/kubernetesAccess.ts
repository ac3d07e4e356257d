import type { RequestOptions } from 'node:https';
import type {
  AuthorizationV1Api,
  CoreV1Api,
  KubeConfig,
  NetworkingV1Api,
  RequestContext,
} from '@kubernetes/client-node';
import { SandpiperError, toError } from '../../../../protocol/errors.ts';
import { VendorFailure } from '../vendors/vendorFailure.ts';
import type { KubernetesSdk } from './kubernetesSdk.ts';

export interface AccessSettings {
  /** A file; `default`: the one that kubectl takes; `in-cluster`: the relay's own pod tells. */
  kubeconfig: string;
  /** Default: the current one of the file. */
  context: string | undefined;
  /** Default: the context's. */
  namespace: string | undefined;
}

/** The way to a cluster. */
export interface KubernetesAccess {
  sdk: KubernetesSdk;
  namespace: string;
  core: CoreV1Api;
  networking: NetworkingV1Api;
  authorization: AuthorizationV1Api;
  /** Address of the API without a slash at its end, and what a WebSocket to it needs. */
  socketTo: (path: string) => Promise<{ url: string; options: RequestOptions }>;
  /** What the cluster knows the relay by, where it lies in the file. */
  token: string | undefined;
}

const REQUEST_TIMEOUT_MS = 30_000;

/** @throws `sandbox_unavailable` where the package is not installed; a VendorFailure `refused` for a file that is none */
export async function openAccess(settings: AccessSettings): Promise<KubernetesAccess> {
  const { sdk } = await import('./kubernetesSdk.ts').catch((error: unknown) => {
    throw new SandpiperError(
      'sandbox_unavailable',
      'The package @kubernetes/client-node, which reaches Kubernetes, is not installed.',
      { hint: 'Install Sandpiper with its optional packages.', cause: error },
    );
  });
  const config = loaded(sdk, settings);
  const server = serverOf(config, settings);
  const user = config.getCurrentUser();
  const context = config.getContextObject(config.getCurrentContext());
  const configuration = sdk.createConfiguration({
    baseServer: new sdk.ServerConfiguration(server, {}),
    authMethods: { default: config },
    promiseMiddleware: [
      {
        pre: async (request: RequestContext) => {
          request.setSignal(AbortSignal.timeout(REQUEST_TIMEOUT_MS));
          return request;
        },
        post: async response => response,
      },
    ],
  });
  return {
    sdk,
    namespace: settings.namespace ?? context?.namespace ?? 'default',
    core: new sdk.CoreV1Api(configuration),
    networking: new sdk.NetworkingV1Api(configuration),
    authorization: new sdk.AuthorizationV1Api(configuration),
    socketTo: async path => {
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      return { url: `${server.replace(/^http/, 'ws')}${path}`, options };
    },
    token: user?.token,
  };
}

function loaded(sdk: KubernetesSdk, settings: AccessSettings): KubeConfig {
  const config = new sdk.KubeConfig();
  try {
    switch (settings.kubeconfig) {
      case 'default':
        config.loadFromDefault();
        break;
      case 'in-cluster':
        config.loadFromCluster();
        break;
      default:
        config.loadFromFile(settings.kubeconfig);
    }
  } catch (error) {
    throw wrong(settings, toError(error).message, error);
  }
  if (settings.context !== undefined) {
    if (!config.getContextObject(settings.context)) {
      throw wrong(settings, `it has no context "${settings.context}"`);
    }
    config.setCurrentContext(settings.context);
  }
  return config;
}

/** What the SDK takes for a cluster where there is none is not taken here. */
function serverOf(config: KubeConfig, settings: AccessSettings): string {
  const cluster = config.getCurrentCluster();
  if (!cluster) {
    throw wrong(settings, 'it names no cluster for the chosen context');
  }
  if (settings.kubeconfig === 'default' && config.getCurrentContext() === 'loaded-context') {
    throw wrong(settings, 'there is none in KUBECONFIG or ~/.kube/config');
  }
  if (!URL.canParse(cluster.server)) {
    throw wrong(
      settings,
      settings.kubeconfig === 'in-cluster' ? 'the relay runs in no pod' : 'its server has no address',
    );
  }
  if (cluster.server.startsWith('http:') && !cluster.skipTLSVerify) {
    throw wrong(settings, 'its server is reached without TLS');
  }
  return cluster.server.replace(/\/+$/, '');
}

function wrong({ kubeconfig }: AccessSettings, why: string, cause?: unknown): VendorFailure {
  return new VendorFailure('refused', `the kubeconfig "${kubeconfig}" cannot be used: ${why}`, {
    hint: 'Check SANDPIPER_KUBECONFIG and SANDPIPER_KUBERNETES_CONTEXT; `kubectl get pods` must work with the same.',
    cause,
  });
}
