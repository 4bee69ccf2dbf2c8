import type { VNode } from 'preact';

/** Where the id of an event is typed, or pasted with the space around it. */
export function EventIdInput({ id, value }: { readonly id: string; readonly value: string }): VNode {
  return (
    <input
      id={id}
      name="event"
      required
      pattern="\s*\d+-\d+\s*"
      title="Two numbers, as 1764288000000-0"
      placeholder="1764288000000-0"
      defaultValue={value}
      autocomplete="off"
      spellcheck={false}
    />
  );
}
