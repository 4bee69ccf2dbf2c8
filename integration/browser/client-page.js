/** What a page of these tests runs: in plain JavaScript, bundled with the client as it is built. */
import { connect } from '@signalbox/client';
import { connect as connectSse } from '@signalbox/client/sse';
import { connect as connectTabs } from '@signalbox/client/tabs';

const clients = { alone: connect, sse: connectSse, tabs: connectTabs };

async function ticketFor(token) {
  const answer = await fetch('/ticket', { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  return (await answer.json()).ticket;
}

/** Connects, and writes down what it hears of a channel. */
globalThis.listen = ({ client, credential = 'token', token, channel, from, ...options }) => {
  const credentials = {
    token: { token: () => token },
    ticket: { ticket: () => ticketFor(token) },
    cookie: {},
  }[credential];
  const url = location.origin.replace('http', 'ws');
  const connection = clients[client](url, { ...credentials, backoffMs: 50, maxBackoffMs: 200, ...options });
  const subscription = connection.subscribe(channel, from);
  const store = subscription.store((list, { data }) => [...list, data], []);
  const app = { connection, subscription, store, heard: [], gaps: [], states: [connection.state] };
  subscription.on('*', (data) => app.heard.push(data));
  subscription.on('gap', (gap) => app.gaps.push(gap));
  connection.onState((state) => app.states.push(state));
  globalThis.app = app;
};

/** What can be told to the test of all that. */
globalThis.report = () => {
  const { connection, subscription, store, heard, gaps, states } = globalThis.app;
  const { state, error } = connection;
  const { position, state: ofChannel } = subscription;
  return { state, ofChannel, error: error?.code, position, heard, list: store.getSnapshot(), gaps, states };
};
