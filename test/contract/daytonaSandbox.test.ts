import { DaytonaEmulator } from '../support/vendors/daytona/daytonaEmulator.ts';
import { daytonaProviderFor } from '../support/vendors/daytona/daytonaProviderFor.ts';
import { vendorSandboxSuite } from './vendorSandboxSuite.ts';

const apiKey = process.env['SANDPIPER_DAYTONA_API_KEY'];
const apiUrl = process.env['SANDPIPER_DAYTONA_API_URL'] ?? 'https://app.daytona.io/api';

vendorSandboxSuite({
  name: 'Daytona',
  id: 'daytona',
  isolation: 'container',
  live: apiKey === undefined ? undefined : { apiKey, apiUrl },
  start: () => DaytonaEmulator.start(),
  placeOf: ({ apiKey: key, url }) => ({ apiKey: key, apiUrl: `${url}/api`, snapshot: 'base' }),
  provider: daytonaProviderFor,
});
