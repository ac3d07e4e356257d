import { median, medianRatio, type Bench, type Measurement, type Raw } from '../figure.ts';
import { startFanoutClients, type FanoutClients } from './fanoutClientsProcess.ts';
import { startFanoutServer, type FanoutServer } from './fanoutServerProcess.ts';

const CLIENTS = [10, 100];
const DELIVERIES = 300_000;
const WARM_SHARE = 0.2;
const PACE = { events: 300, perSecond: 200 };
const HOW =
  'Server and clients are a process each. Ours: the relay’s HTTP, authentication, WebSocket and feed over a session whose ' +
  'events are made from their number; beside it ws alone that sends each message to each socket. The same events of about ' +
  '300 bytes come from a publisher with at most 256 under way; one client in ten parses its frames, the others only count ' +
  'events. Deliveries a second until all have all. Latency at 200 events a second.';

interface Side {
  deliveriesPerSecond: number;
  serverMicrosecondsADelivery: number;
  p50Ms: number;
  p99Ms: number;
}

/** Deliveries of one session's events to many clients, over those of a bare WebSocket server. */
export const fanout: Measurement = {
  figures: [
    { name: 'fanout-over-bare-ws-10', unit: 'times', aim: 0.8, better: 'more' },
    { name: 'fanout-over-bare-ws-100', unit: 'times', aim: 5, better: 'more' },
  ],
  needs: [],
  async take(bench) {
    const figures: Record<string, { value: number; raw: Raw }> = {};
    for (const clients of CLIENTS) {
      const rounds: { ours: Side; floor: Side }[] = [];
      for (let round = 1; round <= bench.rounds; round++) {
        const ours = await takeSide(bench, 'wire', clients);
        rounds.push({ ours, floor: await takeSide(bench, 'bare', clients) });
        bench.report(`${clients} clients, round ${round}: ${JSON.stringify(rounds.at(-1))}`);
      }
      const ours = rounds.map(round => round.ours.deliveriesPerSecond);
      const floor = rounds.map(round => round.floor.deliveriesPerSecond);
      const beyondFloorMs = median(rounds.map(round => round.ours.p99Ms - round.floor.p99Ms));
      figures[`fanout-over-bare-ws-${clients}`] = {
        value: medianRatio(ours, floor),
        raw: { unit: 'deliveries/s', ours, floor, how: HOW, p99BeyondFloorMs: beyondFloorMs, rounds },
      };
    }
    return figures;
  },
};

async function takeSide(bench: Bench, side: 'wire' | 'bare', clients: number): Promise<Side> {
  const server = startFanoutServer();
  const others = startFanoutClients();
  const stop = async (): Promise<void> => {
    await Promise.all([server.stop(), others.stop()]);
  };
  bench.defer(stop);
  const taken = await measure(server, others, side, clients);
  await stop();
  return taken;
}

async function measure(
  server: FanoutServer,
  others: FanoutClients,
  side: 'wire' | 'bare',
  clients: number,
): Promise<Side> {
  await others.ask('join', { address: await server.ask(side, undefined), clients });
  const events = Math.round(DELIVERIES / clients);
  await others.ask('burst', Math.round(events * WARM_SHARE));
  const cpuBefore = await server.ask('cpuMs', undefined);
  const ms = await others.ask('burst', events);
  const cpuMs = (await server.ask('cpuMs', undefined)) - cpuBefore;
  const { p50, p99 } = await others.ask('pace', PACE);
  return {
    deliveriesPerSecond: (events * clients) / (ms / 1000),
    serverMicrosecondsADelivery: (cpuMs * 1000) / (events * clients),
    p50Ms: p50,
    p99Ms: p99,
  };
}
