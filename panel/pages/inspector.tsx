import type { TargetedSubmitEvent, VNode } from 'preact';
import { useState } from 'preact/hooks';
import { count, percent } from '../figures/format.ts';
import { Facts } from '../parts/facts.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { Refused } from '../parts/refused.tsx';
import { fieldOf } from '../place/form.ts';
import { usePolled } from '../server/polled.ts';
import { ask } from '../server/request.ts';

/** Which actors Stately's inspector is shown. */
interface InspectorFilter {
  readonly socket?: string;
  readonly user?: string;
  readonly channel?: string;
  /** The part of the sockets that is shown, 0 to 1. */
  readonly sample?: number;
}

/** `GET /inspect/api/stately`. */
interface InspectorState {
  readonly on: boolean;
  readonly filter?: InspectorFilter;
  readonly dropped: number;
  readonly sent: number;
}

const PATH = '/inspect/api/stately';
const SUBJECTS = ['socket', 'user', 'channel', 'sample', 'all'] as const;
const NAMES = {
  socket: 'One socket',
  user: 'One user',
  channel: 'One channel',
  sample: 'A sample of all sockets',
  all: 'All actors',
} as const;

const wordsOf = (filter: InspectorFilter = {}): string =>
  Object.entries(filter)
    .map(([name, value]) =>
      name === 'sample' ? `${percent(Number(value))} of all sockets` : `${name} ${value}`,
    )
    .join(', ') || 'all actors';

/** Shows what every chosen actor does in Stately's inspector, and stops that again. */
export function InspectorPage(): VNode {
  const { answer, refusal, refresh } = usePolled<InspectorState>(PATH, 1000);
  const [subject, setSubject] = useState<(typeof SUBJECTS)[number]>('user');
  const [said, setSaid] = useState('');

  async function turn(method: 'PUT' | 'DELETE', filter?: InspectorFilter): Promise<void> {
    try {
      await ask(PATH, { method, ...(filter && { body: filter }) });
      setSaid('');
    } catch (error) {
      setSaid(`✗ ${(error as Error).message}`);
    }
    refresh();
  }

  function submit(event: TargetedSubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    const value = fieldOf(event.currentTarget, 'value');
    if (subject === 'all') void turn('PUT', {});
    else void turn('PUT', { [subject]: subject === 'sample' ? Number(value) / 100 : value });
  }

  return (
    <>
      <PageTitle title="Stately's inspector" />
      <p class="lead">
        It draws what the actors do, step by step, in a window of Stately's. Choose few of them: what it
        cannot take fast enough is left out and counted, and the router never waits for it. Payloads and
        tokens are never sent.
      </p>
      <Refused refusal={refusal} />
      <section class="card" aria-labelledby="now">
        <h2 id="now">Now</h2>
        <div role="status">
          {answer === undefined ? (
            <p class="fine">Asking…</p>
          ) : (
            <p>{answer.on ? <b class="good">● On, for {wordsOf(answer.filter)}</b> : <b>○ Off</b>}</p>
          )}
        </div>
        {answer !== undefined && (
          <Facts
            facts={[
              { name: 'Facts sent', value: count(answer.sent) },
              {
                name: 'Left out',
                value: answer.dropped === 0 ? '0' : <b class="warn">⚠ {count(answer.dropped)}</b>,
              },
            ]}
          />
        )}
        <div class="buttons">
          <a class="button" href="/inspect/stately" target="_blank" rel="noopener">
            Open the window ↗
          </a>
          <button
            type="button"
            class="drop"
            disabled={answer?.on !== true}
            onClick={() => void turn('DELETE')}
          >
            Switch it off
          </button>
        </div>
      </section>
      <form class="card ask" aria-label="Switch it on" onSubmit={submit}>
        <fieldset class="choice">
          <legend>Switch it on for</legend>
          {SUBJECTS.map((name) => (
            <label key={name}>
              <input
                type="radio"
                name="subject"
                value={name}
                checked={subject === name}
                onChange={() => setSubject(name)}
              />
              <span>{NAMES[name]}</span>
            </label>
          ))}
        </fieldset>
        {subject === 'sample' && (
          <div class="field" key="sample">
            <label for="value">Per cent of the sockets</label>
            <input
              id="value"
              name="value"
              type="number"
              min={0.1}
              max={100}
              step={0.1}
              required
              defaultValue="1"
            />
          </div>
        )}
        {subject !== 'sample' && subject !== 'all' && (
          <div class="field" key="name">
            <label for="value">Its id or name</label>
            <input id="value" name="value" required autocomplete="off" spellcheck={false} />
          </div>
        )}
        <button type="submit" class="go">
          Switch it on
        </button>
        <p role="alert" class="bad">
          {said}
        </p>
      </form>
    </>
  );
}
