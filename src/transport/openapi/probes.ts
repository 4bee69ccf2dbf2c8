import { type Operation, textAnswer } from './operation.ts';

export const healthOperation: Operation = {
  id: 'getHealth',
  tag: 'probes',
  summary: 'Whether the process answers at all, draining included.',
  answers: { 200: textAnswer('It does.', 'text/plain', { const: 'OK' }) },
};

export const readyOperation: Operation = {
  id: 'getReady',
  tag: 'probes',
  summary: 'Whether the server reads its broker, and does not drain.',
  answers: {
    200: textAnswer('It does.', 'text/plain', { const: 'OK' }),
    503: textAnswer('It does not.', 'text/plain', { const: 'SUBSCRIBER_UNAVAILABLE' }),
  },
};
