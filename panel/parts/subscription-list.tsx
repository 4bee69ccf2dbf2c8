import type { VNode } from 'preact';
import type { SubscriptionDetail } from '../../src/inspect/api.ts';
import { counted, duration } from '../figures/format.ts';
import { sentenceOf } from '../log/sentence.ts';
import { Facts } from './facts.tsx';
import { StateMark } from './signal.tsx';
import { Time } from './time.tsx';

/** What a socket hears, where it is in it, and what happened to each. */
export function SubscriptionList({
  subscriptions,
}: {
  readonly subscriptions: readonly SubscriptionDetail[];
}): VNode {
  return (
    <section class="card" aria-labelledby="subscriptions">
      <h2 id="subscriptions">Subscriptions</h2>
      {subscriptions.length === 0 && <p class="empty">None: it hears nothing until it subscribes.</p>}
      <ul class="subscriptions">
        {subscriptions.map((subscription) => {
          const { channels, mode, cursor, lagMs, behind, spans } = subscription;
          return (
            <li key={channels.join(' ')}>
              <h3>{channels.join(', ')}</h3>
              <Facts
                facts={[
                  {
                    name: 'Mode',
                    value: spans.at(-1)?.kind === 'left' ? 'left' : <StateMark state={mode} />,
                  },
                  { name: 'Cursor', value: <code>{cursor}</code> },
                  { name: 'Lag', value: duration(lagMs) },
                  { name: 'Due to it', value: counted(behind, 'event') },
                ]}
              />
              <ol class="timeline" aria-label={`What happened to ${channels.join(', ')}`}>
                {spans.map((span, at) => (
                  <li key={at} data-kind={span.kind}>
                    <Time atMs={span.atMs} />
                    <span>{sentenceOf(span)}</span>
                  </li>
                ))}
              </ol>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
