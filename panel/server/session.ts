import { useEffect, useState } from 'preact/hooks';
import { createStore } from './store.ts';

/** Whether the server lets this browser look: everything that it refuses for want of a token says so here. */
export const session = createStore<'open' | 'refused'>('open');

export function useSession(): 'open' | 'refused' {
  const [state, setState] = useState(session.value);
  useEffect(() => session.subscribe(setState), []);
  return state;
}
