import { E2bEmulator } from '../support/vendors/e2b/e2bEmulator.ts';
import { e2bProviderFor } from '../support/vendors/e2b/e2bProviderFor.ts';
import { vendorSandboxSuite } from './vendorSandboxSuite.ts';

const apiKey = process.env['SANDPIPER_E2B_API_KEY'];

vendorSandboxSuite({
  name: 'E2B',
  id: 'e2b',
  isolation: 'vm',
  live: apiKey === undefined ? undefined : { apiKey, template: process.env['SANDPIPER_E2B_TEMPLATE'] ?? 'base' },
  start: () => E2bEmulator.start(),
  placeOf: ({ apiKey: key, url }) => ({ apiKey: key, apiUrl: url, template: 'base' }),
  provider: e2bProviderFor,
});
