// AWS's own client against the local endpoint: every operation it has, and its errors by name.
// The devices are mqtt.js. Speaks TAP.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import mqtt from 'mqtt';
import * as aws from '@aws-sdk/client-iot-data-plane';
import profileTests from './profiles.mjs';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
// in milliseconds, as IotData::Wait has it for the tests in Perl
const deadline = 1000 * (process.env.PG_TEST_TIMEOUT_DEFAULT || 180);
const tests = [];
const devices = [];
let ports;

const test = (name, run) => tests.push({ name, run });

function makeClient(options = {}) {
  return new aws.IoTDataPlaneClient({
    endpoint: `http://${ports.http}`, region: 'eu-west-1', credentials, maxAttempts: 1, ...options,
  });
}

const send = (name, input, client = makeClient()) => client.send(new aws[`${name}Command`](input));

async function fails(name, promise, status) {
  const error = await promise.then(() => null, (reason) => reason);
  assert.equal(error?.name, name);
  assert.equal(error.$metadata.httpStatusCode, status);
  assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/);
}

// A connected device; its messages are in order.
async function connect(clientId, options = {}) {
  const device = await mqtt.connectAsync(`mqtt://${ports.mqtt}`, {
    clientId, protocolVersion: 5, reconnectPeriod: 0, ...options,
  });
  const waiting = [], messages = [];
  device.on('message', (topic, payload, packet) => {
    const message = { topic, payload, packet, properties: packet.properties ?? {} };
    if (waiting.length > 0) waiting.shift()(message);
    else messages.push(message);
  });
  device.on('error', () => {});
  device.nextMessage = () => messages.length > 0 ? Promise.resolve(messages.shift())
    : new Promise((resolve) => { waiting.push(resolve); });
  devices.push(device);
  return device;
}

// Ends in withLimit when the condition never holds.
async function eventually(condition) {
  while (!(await condition())) {
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

// ------ connections ------

test('GetConnection gives every field of a connected device', async () => {
  const before = Date.now();
  await connect('lamp', { keepalive: 77, clean: false, properties: { sessionExpiryInterval: 900 } });
  const connection = await send('GetConnection', { clientId: 'lamp', includeSocketInformation: true });
  assert.equal(connection.connected, true);
  assert.equal(connection.cleanSession, false);
  assert.equal(connection.keepAliveDuration, 77);
  assert.equal(connection.sessionExpiry, 900);
  assert.equal(connection.clientId, 'lamp');
  assert.equal(connection.sourceIp, '127.0.0.1');
  assert.equal(`${connection.targetIp}:${connection.targetPort}`, ports.mqtt);
  assert.ok(connection.connectedSince >= before - 1 && connection.connectedSince <= Date.now() + 1);
  assert.equal(connection.thingName, undefined);
  assert.equal(connection.disconnectReason, undefined);
});

test('an exclusive thing has a thing name', async () => {
  await connect('thing');
  assert.equal((await send('GetConnection', { clientId: 'thing' })).thingName, 'thing');
});

test('a device that left has the time and the reason', async () => {
  const device = await connect('gone');
  await device.endAsync();
  await eventually(async () => !(await send('GetConnection', { clientId: 'gone' })).connected);
  const connection = await send('GetConnection', { clientId: 'gone' });
  assert.equal(connection.disconnectReason, 'CLIENT_INITIATED_DISCONNECT');
  assert.ok(connection.disconnectedSince > 1e12);
  assert.equal(connection.connectedSince, undefined);
});

for (const clientId of ['a/b', 'a b+c', 'é🚰', "'*()!~", 'a%2Fb', 'a//b', '...']) {
  test(`the client id ${clientId} is found, and no other`, async () => {
    await connect(clientId);
    assert.equal((await send('GetConnection', { clientId })).clientId, clientId);
    await send('SendDirectMessage', { clientId, topic: 'x y/é&=', payload: 'x', contentType: 'a/b; c="d"' });
  });
}

test('ListSubscriptions gives a long list in pages', async () => {
  const device = await connect('pages');
  await device.subscribeAsync(Array.from({ length: 45 }, (_, i) => `pages/${i}`), { qos: 1 });
  const found = [];
  let nextToken;
  let pages = 0;
  do {
    const page = await send('ListSubscriptions', { clientId: 'pages', nextToken, maxResults: 20 });
    found.push(...page.subscriptions);
    nextToken = page.nextToken;
    pages++;
  } while (nextToken);
  assert.equal(pages, 3);
  assert.deepEqual(found, Array.from({ length: 45 }, (_, i) => ({ topicFilter: `pages/${i}`, qos: 1 })));
});

test('DeleteConnection disconnects, and the device is told', async () => {
  const device = await connect('deleted');
  const told = once(device, 'disconnect');
  await send('DeleteConnection', { clientId: 'deleted', cleanSession: true, preventWillMessage: true });
  assert.equal((await told)[0].reasonCode, 0x98);
  assert.equal((await send('GetConnection', { clientId: 'deleted' })).disconnectReason, 'API_INITIATED_DISCONNECT');
});

// ------ direct messages ------

test('SendDirectMessage is confirmed by the device, with all properties', async () => {
  const device = await connect('direct');
  const answer = await send('SendDirectMessage', {
    clientId: 'direct', topic: 'any/topic', payload: new Uint8Array([0, 255, 10]), confirmation: true, timeout: 15,
    contentType: 'application/x', responseTopic: 'answer/here', correlationData: Buffer.from('c\0d').toString('base64'),
    payloadFormatIndicator: 'UNSPECIFIED_BYTES', userProperties: JSON.stringify([{ a: '1' }, { b: 'é' }, { a: '2' }]),
  });
  assert.match(answer.traceId, /^[0-9a-f-]{36}$/);
  assert.ok(answer.message.length > 0);
  const { topic, payload, packet, properties } = await device.nextMessage();
  assert.equal(topic, 'any/topic');
  assert.deepEqual([...payload], [0, 255, 10]);
  assert.equal(packet.qos, 1);
  assert.equal(properties.contentType, 'application/x');
  assert.equal(properties.responseTopic, 'answer/here');
  assert.equal(properties.correlationData.toString(), 'c\0d');
  assert.equal(properties.payloadFormatIndicator, false);
  assert.deepEqual({ ...properties.userProperties }, { a: ['1', '2'], b: 'é' });
});

test('a hundred confirmed messages at once are all confirmed', async () => {
  const device = await connect('hundred');
  const client = makeClient();
  await Promise.all(Array.from({ length: 100 }, (_, i) =>
    send('SendDirectMessage', { clientId: 'hundred', topic: 't', payload: `${i}`, confirmation: true, timeout: 15 }, client)));
  const got = new Set();
  for (let i = 0; i < 100; i++) got.add((await device.nextMessage()).payload.toString());
  assert.equal(got.size, 100);
});

test('a message that is not confirmed is a GatewayTimeoutException', async () => {
  await connect('mute', { customHandleAcks: (topic, message, packet, done) => { void done; } });
  await fails('GatewayTimeoutException',
    send('SendDirectMessage', { clientId: 'mute', topic: 't', confirmation: true, timeout: 1 }), 504);
});

test('a device of MQTT 3.1.1 gets a message without properties', async () => {
  const device = await connect('old', { protocolVersion: 4 });
  await send('SendDirectMessage', { clientId: 'old', topic: 't', payload: 'x', contentType: 'y', confirmation: true, timeout: 15 });
  assert.equal((await device.nextMessage()).payload.toString(), 'x');
});

// ------ publish and retained messages ------

test('Publish reaches subscribers, and is retained', async () => {
  const device = await connect('reader');
  await device.subscribeAsync('news/+', { qos: 1 });
  await send('Publish', {
    topic: 'news/today', qos: 1, retain: true, payload: 'sunny', messageExpiry: 1000, contentType: 'text/plain',
    userProperties: JSON.stringify([{ source: 'window' }]), payloadFormatIndicator: 'UTF8_DATA',
  });
  const { payload, properties } = await device.nextMessage();
  assert.equal(payload.toString(), 'sunny');
  assert.equal(properties.messageExpiryInterval, 1000);
  assert.equal(properties.payloadFormatIndicator, true);
  const kept = await send('GetRetainedMessage', { topic: 'news/today' });
  assert.equal(Buffer.from(kept.payload).toString(), 'sunny');
  assert.equal(kept.qos, 1);
  assert.equal(Buffer.from(kept.userProperties).toString(), '[{"source":"window"}]');
  const list = await send('ListRetainedMessages', {});
  assert.deepEqual(list.retainedTopics.map(({ topic, payloadSize }) => [topic, Number(payloadSize)]), [['news/today', 5]]);
  await send('Publish', { topic: 'news/today', retain: true });
  await fails('ResourceNotFoundException', send('GetRetainedMessage', { topic: 'news/today' }), 404);
});

// ------ errors ------

test('an unknown client is a ResourceNotFoundException', async () => {
  await fails('ResourceNotFoundException', send('GetConnection', { clientId: 'nobody' }), 404);
  await fails('ResourceNotFoundException', send('ListSubscriptions', { clientId: 'nobody' }), 404);
  await fails('ResourceNotFoundException', send('SendDirectMessage', { clientId: 'nobody', topic: 't' }), 404);
  await fails('ResourceNotFoundException', send('DeleteConnection', { clientId: 'nobody' }), 404);
});

test('arguments beyond the limits are an InvalidRequestException', async () => {
  await fails('InvalidRequestException', send('GetConnection', { clientId: '$x' }), 400);
  await fails('InvalidRequestException', send('ListSubscriptions', { clientId: 'lamp', maxResults: 201 }), 400);
  await fails('InvalidRequestException', send('ListSubscriptions', { clientId: 'lamp', nextToken: 'x' }), 400);
  await fails('InvalidRequestException', send('SendDirectMessage', { clientId: 'lamp', topic: 'a/#' }), 400);
  await fails('InvalidRequestException', send('Publish', { topic: 'a', qos: 2 }), 400);
});

test('a payload of more than 128 KiB is a RequestEntityTooLargeException', async () => {
  await fails('RequestEntityTooLargeException',
    send('SendDirectMessage', { clientId: 'lamp', topic: 't', payload: new Uint8Array(131073) }), 413);
});

test('a wrong secret is a ForbiddenException', async () => {
  const client = makeClient({ credentials: { ...credentials, secretAccessKey: 'another' } });
  await fails('ForbiddenException', send('GetConnection', { clientId: 'lamp' }, client), 403);
});

test('a session token that the endpoint does not know is a ForbiddenException', async () => {
  const client = makeClient({ credentials: { ...credentials, sessionToken: 'x' } });
  await fails('ForbiddenException', send('GetConnection', { clientId: 'lamp' }, client), 403);
});

// ------ running ------

async function start() {
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_')));
  const emulator = spawn(process.env.IOTDATA_EMULATOR, ['--thing', 'thing', '--region', 'eu-west-1'],
    { stdio: ['ignore', 'pipe', 'inherit'], env: environment });
  const found = {};
  for await (const line of createInterface({ input: emulator.stdout })) {
    if (line === 'ready') break;
    const [name, address] = line.split(' ');
    found[name] = address;
  }
  if (found.http === undefined) throw new Error('the local endpoint did not start');
  ports = found;
  return emulator;
}

function report(number, name, error) {
  console.log(`${error ? 'not ok' : 'ok'} ${number} - ${name}`);
  if (error) console.log(String(error.stack ?? error).replace(/^/gm, '# '));
  return error ? 1 : 0;
}

function withLimit(promise) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('it took too long')), deadline);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

tests.push(...profileTests);

const emulator = await start();
const ended = once(emulator, 'exit');
let failed = 0;
console.log(`1..${tests.length + 1}`);
for (const [index, { name, run }] of tests.entries()) {
  const error = await withLimit(run()).then(() => null, (reason) => reason);
  failed += report(index + 1, name, error);
}
emulator.kill('SIGTERM');
const [status] = await withLimit(ended).catch(() => ['no end']);
failed += report(tests.length + 1, 'the local endpoint stops cleanly', status === 0 ? null : new Error(`exit ${status}`));
for (const device of devices) device.end(true);
process.exit(failed > 0 ? 1 : 0);
