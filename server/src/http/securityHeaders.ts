import type { RequestHandler } from 'express';

/** For every answer, the page included; the API adds `no-store` of its own. */
export function securityHeadersFor(host = ''): Record<string, string> {
  // The guard has not looked yet, so nothing of a foreign Host may get into the policy.
  const socket = /^[a-z0-9.:[\]-]+$/i.test(host) ? ` ws://${host} wss://${host}` : '';
  return {
    'Content-Security-Policy': [
      `default-src 'none'`,
      `script-src 'self'`,
      `style-src 'self'`,
      `font-src 'self'`,
      `img-src 'self' data:`,
      `connect-src 'self'${socket}`,
      `base-uri 'none'`,
      `form-action 'none'`,
      `frame-ancestors 'none'`,
    ].join('; '),
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  };
}

export const securityHeaders: RequestHandler = (request, response, next) => {
  response.set(securityHeadersFor(request.headers.host));
  next();
};

export const noStore: RequestHandler = (_request, response, next) => {
  response.set('Cache-Control', 'no-store');
  next();
};
