import type { TargetedSubmitEvent, VNode } from 'preact';
import { LogView } from '../log/log-view.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { fieldOf } from '../place/form.ts';
import { go, useQuery } from '../place/place.ts';
import { pathWith } from '../place/route.ts';

const SUBJECTS = ['socket', 'user', 'channel'] as const;

/** What happens to one socket, user or channel, as it happens. */
export function LogPage(): VNode {
  const [query, change] = useQuery();
  const subject = SUBJECTS.find((name) => query.get(name)) ?? 'user';
  const value = query.get(subject) ?? '';

  function submit(event: TargetedSubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = event.currentTarget;
    go(pathWith('log', { [fieldOf(form, 'of')]: fieldOf(form, 'value') }));
  }

  return (
    <>
      <PageTitle title="Live log" window={value === '' ? 'Live log' : `Log of ${value}`} />
      <form class="card ask" onSubmit={submit} key={`${subject} ${value}`}>
        <fieldset class="choice">
          <legend>Of one</legend>
          {SUBJECTS.map((name) => (
            <label key={name}>
              <input type="radio" name="of" value={name} defaultChecked={name === subject} />
              <span>{name}</span>
            </label>
          ))}
        </fieldset>
        <div class="field">
          <label for="value">Its id or name</label>
          <input
            id="value"
            name="value"
            required
            defaultValue={value}
            autocomplete="off"
            spellcheck={false}
          />
        </div>
        <button type="submit" class="go">
          Listen
        </button>
      </form>
      {value === '' ? (
        <p class="empty">
          Say whose log you want. Transitions, deliveries and refusals appear as they happen; nothing is
          recorded before you listen.
        </p>
      ) : (
        <section class="card" aria-label={`Log of ${subject} ${value}`}>
          <LogView
            query={new URLSearchParams({ [subject]: value }).toString()}
            isOneSocket={subject === 'socket'}
            filter={{
              kinds: (query.get('kind') ?? '').split(',').filter((kind) => kind !== ''),
              text: query.get('text') ?? '',
            }}
            onFilter={({ kinds, text }) => change({ kind: kinds.join(','), text })}
          />
        </section>
      )}
    </>
  );
}
