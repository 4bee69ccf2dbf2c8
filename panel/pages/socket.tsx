import type { TargetedSubmitEvent, VNode } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { SocketDetail } from '../../src/inspect/api.ts';
import { Statechart } from '../chart/statechart.tsx';
import { bytes, duration } from '../figures/format.ts';
import type { LogFilter } from '../log/buffer.ts';
import { LogView } from '../log/log-view.tsx';
import { EventIdInput } from '../parts/event-id-input.tsx';
import { Facts } from '../parts/facts.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { Refused } from '../parts/refused.tsx';
import { StateMark } from '../parts/signal.tsx';
import { SocketActions } from '../parts/socket-actions.tsx';
import { SubscriptionList } from '../parts/subscription-list.tsx';
import { Table } from '../parts/table.tsx';
import { Ago, Countdown, Time } from '../parts/time.tsx';
import { TransitionList } from '../parts/transition-list.tsx';
import { WhyAnswer } from '../parts/why-answer.tsx';
import { fieldOf } from '../place/form.ts';
import { useQuery } from '../place/place.ts';
import { BASE, pathWith } from '../place/route.ts';
import { usePolled } from '../server/polled.ts';

const REFRESH_MS = 1000;

function WhyForm({ socket }: { readonly socket: string }): VNode {
  const [query, change] = useQuery();
  const event = query.get('event') ?? '';
  function submit(submitted: TargetedSubmitEvent<HTMLFormElement>): void {
    submitted.preventDefault();
    change({ event: fieldOf(submitted.currentTarget, 'event') });
  }
  return (
    <section class="card" aria-labelledby="why">
      <h2 id="why">Why did it not get an event?</h2>
      <form class="inline" onSubmit={submit} key={event}>
        <label for="why-event">Event id</label>
        <EventIdInput id="why-event" value={event} />
        <button type="submit" class="go">
          Ask
        </button>
      </form>
      {event !== '' && <WhyAnswer question={{ event, socket }} />}
    </section>
  );
}

function factsOf(socket: SocketDetail) {
  const {
    user,
    session,
    address,
    transport,
    protocol,
    instance,
    openedAtMs,
    lagMs,
    bufferedBytes,
    roundTripMs,
  } = socket;
  return [
    {
      name: 'User',
      value: user === undefined ? 'nobody' : <a href={pathWith('sockets', { user })}>{user}</a>,
    },
    { name: 'Session', value: session === undefined ? 'none' : <code>{session}</code> },
    { name: 'Address', value: <code>{address ?? 'not known'}</code> },
    { name: 'Speaks', value: `${protocol}, over ${transport}` },
    { name: 'Instance', value: <code>{instance}</code> },
    socket.closed === undefined
      ? { name: 'Open for', value: <Ago atMs={openedAtMs} /> }
      : { name: 'Was open for', value: duration(socket.closed.atMs - openedAtMs) },
    { name: 'Round trip', value: duration(roundTripMs) },
    { name: 'Lag', value: lagMs === 0 ? '0: it has everything' : duration(lagMs) },
    { name: 'Queued', value: bytes(bufferedBytes) },
    { name: 'Token runs out', value: <Countdown atMs={socket.expiresAtMs} /> },
  ];
}

/** Where whoever it was may be now: a client that comes back has another id. */
function Others({ socket: { user, address } }: { readonly socket: SocketDetail }): VNode | null {
  if (user !== undefined) return <a href={pathWith('sockets', { user })}>Other sockets of {user}</a>;
  if (address === undefined) return null;
  return <a href={pathWith('sockets', { address })}>Other sockets from {address}</a>;
}

export function SocketPage({ id }: { readonly id: string }): VNode {
  const {
    answer: socket,
    refusal,
    refresh,
  } = usePolled<SocketDetail>(`/inspect/api/sockets/${encodeURIComponent(id)}`, REFRESH_MS);
  const [filter, setFilter] = useState<LogFilter>({ kinds: [], text: '' });
  const asked = useRef(0);
  // Its log says at once when something changed; then the rest is fetched at once, too.
  const onLine = ({ kind }: { readonly kind: string }): void => {
    if (kind === 'delivered' || kind === 'replayed' || Date.now() - asked.current < 150) return;
    asked.current = Date.now();
    refresh();
  };

  if (socket === undefined)
    return (
      <>
        <PageTitle title={`Socket ${id}`} />
        {refusal?.status === 404 ? (
          <p class="empty">
            No such socket: it has been gone for longer than sockets are remembered, or it was never here.{' '}
            <a href={`${BASE}/sockets`}>All sockets</a>
          </p>
        ) : (
          <Refused refusal={refusal} />
        )}
      </>
    );
  return (
    <>
      <PageTitle title={`Socket ${id}`}>
        <p aria-live="polite">
          <StateMark state={socket.state} isLarge />
        </p>
        {socket.isPaused && <p class="chip warn">❚❚ Paused by an operator</p>}
      </PageTitle>
      {socket.closed !== undefined && (
        <p class="notice" role="status">
          ■ Closed at <Time atMs={socket.closed.atMs} />: {socket.closed.reason}. What you see is what is
          remembered of it. <Others socket={socket} />
        </p>
      )}
      <Refused refusal={refusal} />
      <SocketActions socket={socket} onDone={refresh} />
      <div class="beside">
        <Statechart machine="socket" active={socket.active} last={socket.transitions.at(-1)} />
        <div class="stack">
          <section class="card" aria-labelledby="who">
            <h2 id="who">Who and how</h2>
            <Facts facts={factsOf(socket)} />
          </section>
          <section class="card" aria-labelledby="steps">
            <h2 id="steps">Last transitions</h2>
            <TransitionList transitions={socket.transitions} />
          </section>
        </div>
      </div>
      <WhyForm socket={id} />
      <SubscriptionList subscriptions={socket.subscriptions} />
      {socket.denials.length > 0 && (
        <Table
          title="Refused to it"
          rows={socket.denials}
          keyOf={({ atMs, channel }) => `${atMs} ${channel}`}
          empty=""
          columns={[
            { name: 'At', cell: ({ atMs }) => <Time atMs={atMs} /> },
            { name: 'Channel', cell: ({ channel }) => <code>{channel}</code> },
            { name: 'By', cell: ({ by }) => by },
            { name: 'Code', cell: ({ code }) => <code>{code}</code> },
          ]}
        />
      )}
      <section class="card" aria-labelledby="log">
        <h2 id="log">Live log</h2>
        <LogView
          query={new URLSearchParams({ socket: id }).toString()}
          isOneSocket
          filter={filter}
          onFilter={setFilter}
          onLine={onLine}
        />
      </section>
    </>
  );
}
