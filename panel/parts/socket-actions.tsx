import type { TargetedSubmitEvent, VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { SocketAction, SocketDetail } from '../../src/inspect/api.ts';
import { fieldOf } from '../place/form.ts';
import { ask } from '../server/request.ts';
import { Dialog } from './dialog.tsx';

interface Sentence {
  readonly name: string;
  /** What is asked before it is done; left out: nothing. */
  readonly warning?: string;
  readonly done: string;
}

const ACTIONS: Record<SocketAction, Sentence> = {
  ping: { name: 'Ping', done: 'A ping was sent.' },
  pause: {
    name: 'Pause',
    warning:
      'Nothing more is delivered to it until you resume. Nothing is lost: what comes meanwhile is read again.',
    done: 'Paused. It says so here until somebody resumes it.',
  },
  resume: { name: 'Resume', done: 'Resumed: what it missed is being replayed.' },
  drop: {
    name: 'Drop',
    warning: 'The line is cut without a farewell. Its client comes back by itself and gets what it missed.',
    done: 'Dropped. A client that is well comes back under a new id.',
  },
  disconnect: {
    name: 'Disconnect',
    warning:
      'It is closed with your word. A native client does not come back by itself; a client of Superset and an EventSource do.',
    done: 'Disconnected.',
  },
};

interface SocketActionsProps {
  readonly socket: SocketDetail;
  readonly onDone: () => void;
}

/** What an operator can do to one socket. Each is a line of the server's log. */
export function SocketActions({ socket, onDone }: SocketActionsProps): VNode {
  const [asking, setAsking] = useState<SocketAction>();
  const [said, setSaid] = useState('');
  const [isBusy, setBusy] = useState(false);

  async function act(action: SocketAction, word: string): Promise<void> {
    setAsking(undefined);
    setBusy(true);
    try {
      const body = word === '' ? {} : { word };
      await ask(`/inspect/api/sockets/${encodeURIComponent(socket.id)}/${action}`, { method: 'POST', body });
      setSaid(`✓ ${ACTIONS[action].done}`);
    } catch (error) {
      setSaid(`✗ ${(error as Error).message}`);
    } finally {
      setBusy(false);
      onDone();
    }
  }

  const want = (action: SocketAction): void =>
    ACTIONS[action].warning === undefined ? void act(action, '') : setAsking(action);
  const button = (action: SocketAction, className = ''): VNode => (
    <button
      type="button"
      class={className}
      disabled={isBusy || socket.state === 'closed'}
      onClick={() => want(action)}
    >
      {ACTIONS[action].name}
    </button>
  );

  function submit(event: TargetedSubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    if (asking !== undefined) void act(asking, fieldOf(event.currentTarget, 'word'));
  }

  return (
    <div class="actions" role="group" aria-label="What to do with it">
      {button('ping')}
      {socket.isPaused ? button('resume', 'go') : button('pause')}
      {button('drop', 'drop')}
      {button('disconnect', 'drop')}
      <a
        class="button"
        href={`/inspect/api/sockets/${encodeURIComponent(socket.id)}/recording`}
        download={`socket-${socket.id}.json`}
      >
        Export recording
      </a>
      <p role="status" class="said">
        {said}
      </p>
      {asking !== undefined && (
        <Dialog title={`${ACTIONS[asking].name} ${socket.id}?`} onClose={() => setAsking(undefined)}>
          <p>{ACTIONS[asking].warning}</p>
          <form onSubmit={submit}>
            {asking === 'disconnect' && (
              <div class="field">
                <label for="word">A word to its client, if you like</label>
                <input id="word" name="word" maxLength={100} autocomplete="off" />
              </div>
            )}
            <div class="buttons">
              <button type="submit" class={asking === 'pause' ? 'go' : 'drop'}>
                {ACTIONS[asking].name}
              </button>
              <button type="button" autofocus={asking !== 'disconnect'} onClick={() => setAsking(undefined)}>
                Leave it
              </button>
            </div>
          </form>
        </Dialog>
      )}
    </div>
  );
}
