import type { TargetedSubmitEvent, VNode } from 'preact';
import { EventIdInput } from '../parts/event-id-input.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { WhyAnswer } from '../parts/why-answer.tsx';
import { fieldOf } from '../place/form.ts';
import { go, useQuery } from '../place/place.ts';
import { pathWith } from '../place/route.ts';

const WHO = ['socket', 'user'] as const;

/** Why did it not arrive? */
export function WhyPage(): VNode {
  const [query] = useQuery();
  const event = query.get('event') ?? '';
  const who = WHO.find((name) => query.get(name)) ?? 'socket';
  const name = query.get(who) ?? '';
  const channel = query.get('channel') ?? '';

  function submit(submitted: TargetedSubmitEvent<HTMLFormElement>): void {
    submitted.preventDefault();
    const form = submitted.currentTarget;
    const asked = { event: fieldOf(form, 'event'), [fieldOf(form, 'who')]: fieldOf(form, 'name') };
    go(pathWith('why', { ...asked, channel: fieldOf(form, 'channel') }));
  }

  return (
    <>
      <PageTitle title="Why did it not arrive?" />
      <form class="card ask" onSubmit={submit} key={query.toString()}>
        <div class="field">
          <label for="event">Event id</label>
          <EventIdInput id="event" value={event} />
        </div>
        <fieldset class="choice">
          <legend>Who did not have it</legend>
          {WHO.map((each) => (
            <label key={each}>
              <input type="radio" name="who" value={each} defaultChecked={each === who} />
              <span>{each}</span>
            </label>
          ))}
        </fieldset>
        <div class="field">
          <label for="name">Its id or name</label>
          <input id="name" name="name" required defaultValue={name} autocomplete="off" spellcheck={false} />
        </div>
        <div class="field">
          <label for="channel">Channel, if the id is not enough</label>
          <input id="channel" name="channel" defaultValue={channel} autocomplete="off" spellcheck={false} />
        </div>
        <button type="submit" class="go">
          Ask
        </button>
      </form>
      {event !== '' && name !== '' ? (
        <section aria-labelledby="answer">
          <h2 id="answer">The answer</h2>
          <WhyAnswer question={{ event, [who]: name, channel }} />
        </section>
      ) : (
        <p class="empty">
          Give the event's id, as publishing answered it or a client logged it, and the socket or the user
          that should have had it. Every instance is asked, and the answer says when and why.
        </p>
      )}
    </>
  );
}
