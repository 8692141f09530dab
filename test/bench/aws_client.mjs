// What AWS's own JavaScript client does with many requests at once.
//
// usage: node aws_client.mjs ENDPOINT COUNT CONCURRENCY
//
// GetConnection of COUNT different clients, CONCURRENCY in flight over connections that are kept,
// none of them a second time. Prints the seconds they took, after a round that opened the
// connections. The credentials and the region are those of the environment.

import { GetConnectionCommand, IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';

const [endpoint, count, concurrency] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const client = new IoTDataPlaneClient({
  endpoint, maxAttempts: 1, requestHandler: { httpAgent: { keepAlive: true, maxSockets: concurrency } },
});

async function run(calls) {
  let next = 0;
  const begun = process.hrtime.bigint();
  await Promise.all(Array.from({ length: concurrency }, async () => {
    while (next < calls) {
      const clientId = `device-${String(next++).padStart(6, '0')}`;
      await client.send(new GetConnectionCommand({ clientId, includeSocketInformation: false }));
    }
  }));
  return Number(process.hrtime.bigint() - begun) / 1e9;
}

await run(concurrency);
console.log((await run(count)).toFixed(6));
