import { readable } from 'svelte/store';

/**
 * What a stream says last, as a store: `{ data, isOpen }`. It is open while somebody looks at the store, and comes back by
 * itself, as EventSource does.
 */
export const stream = (url) =>
  readable({ data: undefined, isOpen: false }, (_set, update) => {
    const source = new EventSource(url);
    source.addEventListener('open', () => update((state) => ({ ...state, isOpen: true })));
    source.addEventListener('error', () => update((state) => ({ ...state, isOpen: false })));
    source.addEventListener('message', ({ data }) => update(() => ({ data, isOpen: true })));
    return () => source.close();
  });
