import {
  ApiException,
  AuthorizationV1Api,
  CoreV1Api,
  createConfiguration,
  KubeConfig,
  NetworkingV1Api,
  ServerConfiguration,
} from '@kubernetes/client-node';

/**
 * What is used of the SDK. This module is loaded when Kubernetes is first needed: the package is large, and loaded late it has
 * its names in another place in the bundle than from source.
 */
export const sdk = {
  ApiException,
  AuthorizationV1Api,
  CoreV1Api,
  createConfiguration,
  KubeConfig,
  NetworkingV1Api,
  ServerConfiguration,
};

export type KubernetesSdk = typeof sdk;
