import type { VNode } from 'preact';
import type { ChannelDetail, Gathered, SocketRow } from '../../src/inspect/api.ts';
import { Statechart } from '../chart/statechart.tsx';
import { count, duration } from '../figures/format.ts';
import { Facts } from '../parts/facts.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { Refused } from '../parts/refused.tsx';
import { StateMark } from '../parts/signal.tsx';
import { Table } from '../parts/table.tsx';
import { TransitionList } from '../parts/transition-list.tsx';
import { Unanswered } from '../parts/unanswered.tsx';
import { pathWith, socketPath } from '../place/route.ts';
import { usePolled } from '../server/polled.ts';

const REFRESH_MS = 2000;

function OneInstance({ channel }: { readonly channel: ChannelDetail }): VNode {
  const { instance, state, subscribers, pages, attempt, active, transitions } = channel;
  return (
    <section class="instance" aria-label={`On ${instance}`}>
      <h2>
        On <code>{instance}</code>
      </h2>
      <div class="beside">
        <Statechart machine="channel" active={active} last={transitions.at(-1)} />
        <div class="stack">
          <div class="card">
            <Facts
              facts={[
                { name: 'State', value: <StateMark state={state} /> },
                { name: 'Subscribers', value: count(subscribers) },
                { name: 'Reads of its history', value: count(pages) },
                { name: 'Failures in a row', value: count(attempt) },
              ]}
            />
          </div>
          <div class="card">
            <h3>Last transitions</h3>
            <TransitionList transitions={transitions} />
          </div>
        </div>
      </div>
    </section>
  );
}

export function ChannelPage({ feed, name }: { readonly feed: string; readonly name: string }): VNode {
  const path = `/inspect/api/channels/${encodeURIComponent(feed)}/${encodeURIComponent(name)}`;
  const { answer, refusal } = usePolled<Gathered<ChannelDetail>>(path, REFRESH_MS);
  const found = answer?.answers ?? [];
  const sockets = found.flatMap((channel) => channel.sockets);
  return (
    <>
      <PageTitle title={`Channel ${name}`}>
        <p class="fine">of the feed {feed}</p>
      </PageTitle>
      <Refused refusal={refusal} />
      <Unanswered instances={answer?.unanswered ?? []} />
      {answer !== undefined && found.length === 0 && (
        <p class="empty">Nobody has this channel now: it begins with its first subscriber.</p>
      )}
      <p class="links">
        <a href={pathWith('sockets', { channel: name })}>Its sockets as a list</a>
        <a href={pathWith('log', { channel: name })}>Its live log</a>
      </p>
      {found.map((channel) => (
        <OneInstance key={channel.instance} channel={channel} />
      ))}
      {found.length > 0 && (
        <Table<SocketRow>
          title={`Its sockets${sockets.length >= 100 ? ', the first of them' : ''}`}
          rows={sockets}
          keyOf={({ instance, id }) => `${instance} ${id}`}
          empty="Nobody is subscribed."
          columns={[
            { name: 'State', cell: ({ state }) => <StateMark state={state} /> },
            {
              name: 'Socket',
              cell: ({ id }) => (
                <a href={socketPath(id)}>
                  <code>{id}</code>
                </a>
              ),
            },
            { name: 'User', cell: ({ user }) => user ?? 'nobody' },
            { name: 'Address', cell: ({ address }) => <code>{address}</code> },
            { name: 'Lag', isNumber: true, cell: ({ lagMs }) => (lagMs === 0 ? '0' : duration(lagMs)) },
          ]}
        />
      )}
    </>
  );
}
