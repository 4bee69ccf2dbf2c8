import type { TargetedSubmitEvent, VNode } from 'preact';
import { PageTitle } from '../parts/page-title.tsx';
import { WhyAnswer } from '../parts/why-answer.tsx';
import { fieldOf } from '../place/form.ts';
import { go, useQuery } from '../place/place.ts';
import { pathWith } from '../place/route.ts';

const FIELDS = ['event', 'socket', 'user', 'channel'] as const;

/** Why did it not arrive? */
export function WhyPage(): VNode {
  const [query] = useQuery();
  const asked = Object.fromEntries(FIELDS.map((name) => [name, query.get(name) ?? '']));
  const isWhole = Boolean(asked['event'] && (asked['socket'] || asked['user']));

  function submit(event: TargetedSubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = event.currentTarget;
    go(pathWith('why', Object.fromEntries(FIELDS.map((name) => [name, fieldOf(form, name)]))));
  }

  return (
    <>
      <PageTitle title="Why did it not arrive?" />
      <form class="card ask" onSubmit={submit} key={query.toString()}>
        <div class="field">
          <label for="event">Event id</label>
          <input
            id="event"
            name="event"
            type="search"
            required
            pattern="\s*\d+-\d+\s*"
            title="As 1764288000000-0"
            placeholder="1764288000000-0"
            defaultValue={asked['event']}
            autocomplete="off"
          />
        </div>
        <div class="field">
          <label for="socket">Socket</label>
          <input
            id="socket"
            name="socket"
            defaultValue={asked['socket']}
            autocomplete="off"
            spellcheck={false}
          />
        </div>
        <div class="field">
          <label for="user">or user</label>
          <input id="user" name="user" defaultValue={asked['user']} autocomplete="off" spellcheck={false} />
        </div>
        <div class="field">
          <label for="channel">Channel, if the id is not enough</label>
          <input
            id="channel"
            name="channel"
            defaultValue={asked['channel']}
            autocomplete="off"
            spellcheck={false}
          />
        </div>
        <button type="submit" class="go">
          Ask
        </button>
      </form>
      {isWhole ? (
        <WhyAnswer query={query.toString()} />
      ) : (
        <p class="empty">
          Give the event's id, as publishing answered it or a client logged it, and the socket or the user
          that should have had it. Every instance is asked, and the answer says when and why.
        </p>
      )}
    </>
  );
}
